"""Catalog queries: saved searches of discovery."""

import uuid

from django.db import models

from enterprise_catalog.apps.catalog.models.history import QueryHistory
from enterprise_catalog.apps.core.fields import ExactCharField, HexUUIDField, JsonTextField


class CatalogQuery(models.Model):
    """
    A saved search, shared by any number of catalogs of any number of customers.

    The row has what every page and list needs (counts, generation, dates), so that reading a catalog never counts or
    aggregates its members. Customers share it, so only `catalog.queries.resolution` may change its filter, uuid or
    title.
    """

    uuid = HexUUIDField(unique=True, default=uuid.uuid4)
    title = ExactCharField(max_length=255, unique=True, null=True, blank=True)
    # True once a caller has given it a uuid or a title, on which callers may then rely (QRY-4).
    named = models.BooleanField(default=False)
    content_filter = JsonTextField(default=dict)
    content_filter_hash = models.CharField(max_length=32, unique=True, editable=False)
    # Queries that make discovery do the same work share one fetch (HASH-2).
    equivalence_key = models.CharField(max_length=32, db_index=True, editable=False)

    # Written by publishing only.
    refreshed_at = models.DateTimeField(null=True, editable=False, db_index=True)
    published_filter_hash = models.CharField(max_length=32, default="", editable=False)
    generation = models.PositiveBigIntegerField(default=0, editable=False)
    # Increased by every change of a byte in any member's item, through whichever refresh, also if nothing counts as
    # modified (reviews, a new rendering). ETags are made of it and the generation (COM-18).
    items_version = models.PositiveBigIntegerField(default=0, editable=False)
    content_modified = models.DateTimeField(null=True, editable=False)
    member_count = models.PositiveIntegerField(default=0, editable=False)
    count_v1 = models.PositiveIntegerField(default=0, editable=False)
    count_v2 = models.PositiveIntegerField(default=0, editable=False)
    # A default of the database, since the previous version does not write the column during an upgrade.
    count_legacy = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    created = models.DateTimeField(auto_now_add=True)
    modified = models.DateTimeField(auto_now=True)

    history = QueryHistory(
        excluded_fields=[
            "refreshed_at", "generation", "items_version", "content_modified", "member_count", "count_v1",
            "count_v2", "count_legacy",
        ]
    )  # fmt: skip

    class Meta:
        verbose_name = "catalog query"
        verbose_name_plural = "catalog queries"
        ordering = ["id"]
        # Refreshing changes nothing that people have entered.
        permissions = [("refresh_catalogquery", "Can refresh catalog queries, also from their catalogs")]

    def __str__(self) -> str:
        return self.title or str(self.uuid)
