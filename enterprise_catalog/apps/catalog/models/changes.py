"""Changes of membership, and the periods in which catalogs are attached to queries."""

from django.db import models

from enterprise_catalog.apps.catalog.models.catalogs import EnterpriseCatalog
from enterprise_catalog.apps.catalog.models.content import ContentMetadata
from enterprise_catalog.apps.catalog.models.queries import CatalogQuery
from enterprise_catalog.apps.core.fields import ContentKeyField, HexUUIDField


class CatalogContentChange(models.Model):
    """
    A key joined or left a query, or left or joined one catalog that was attached to another query. Append-only; pruned
    by age.

    Keys, types and uuids of runs are copied: a change outlives its content and its run.
    """

    class Change(models.TextChoices):
        ADDED = "added"
        REMOVED = "removed"

    # No constraint: the changes of a query that was deleted are still part of the past of its catalogs.
    catalog_query = models.ForeignKey(
        CatalogQuery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="content_changes"
    )
    # Null: every catalog of the query. Set: this catalog only, which came from, or was created on, a published query
    # (CHG-2).
    enterprise_catalog = models.ForeignKey(
        EnterpriseCatalog, null=True, on_delete=models.CASCADE, related_name="content_changes"
    )
    content_key = ContentKeyField()
    content_type = models.CharField(max_length=16, choices=ContentMetadata.ContentType.choices)
    change = models.CharField(max_length=8, choices=Change.choices)
    refresh_run_uuid = HexUUIDField(null=True)
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            # Changes of single catalogs are skipped when those of the query are read.
            models.Index(fields=["catalog_query", "enterprise_catalog", "id"], name="changes_of_query"),
            # When a content joined or left each of many catalogs (ADD-5).
            models.Index(fields=["content_key", "catalog_query", "enterprise_catalog"], name="changes_of_content"),
        ]


class CatalogAttachment(models.Model):
    """
    A period in which a catalog is attached to a query. The changes that are written in it are changes of the catalog
    (CHG-2).

    It is written together with the attachment, while the query is locked, so that ids of changes delimit it. The query
    may have been deleted since.
    """

    enterprise_catalog = models.ForeignKey(EnterpriseCatalog, on_delete=models.CASCADE, related_name="attachments")
    catalog_query = models.ForeignKey(
        CatalogQuery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="attachments"
    )
    # Ids of changes, which may be pruned. Without an end the catalog is still attached.
    begins_after = models.PositiveBigIntegerField()
    ends_with = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["id"]
