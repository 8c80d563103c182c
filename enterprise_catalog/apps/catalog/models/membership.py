"""Members of queries, and the courses that a query shows differently from all others."""

from django.db import models

from enterprise_catalog.apps.catalog.models.content import ContentMetadata
from enterprise_catalog.apps.catalog.models.queries import CatalogQuery
from enterprise_catalog.apps.core.fields import ContentKeyField


class Visibility(models.IntegerChoices):
    """What an API version does with a member of a query."""

    HIDDEN = 0, "hidden"
    CONTAINED = 1, "contained, listed only when asked for by key"
    LISTED = 2, "listed"


class CatalogContentKey(models.Model):
    """
    Membership: the key is in the query.

    There is one visibility for each API version (META-4, V2-2, LEG-5). Each has an index in key order from which pages
    are cut.
    """

    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.CASCADE, related_name="content_keys")
    content = models.ForeignKey(
        ContentMetadata, on_delete=models.PROTECT, related_name="memberships", db_column="content_key"
    )
    visibility_v1 = models.PositiveSmallIntegerField(choices=Visibility.choices, db_column="standing_v1")
    visibility_v2 = models.PositiveSmallIntegerField(choices=Visibility.choices, db_column="standing_v2")
    visibility_legacy = models.PositiveSmallIntegerField(
        choices=Visibility.choices, db_default=Visibility.CONTAINED, db_column="standing_legacy"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["catalog_query", "content"], name="content_key_once_per_query")]
        indexes = [
            models.Index(fields=["catalog_query", "visibility_v1", "content"], name="pages_of_query_v1"),
            models.Index(fields=["catalog_query", "visibility_v2", "content"], name="pages_of_query_v2"),
            models.Index(fields=["catalog_query", "visibility_legacy", "content"], name="pages_of_query_legacy"),
        ]


class ContentOverride(models.Model):
    """
    A course that one query shows differently from all others, since its filter allows restricted runs (V2-5) or forces
    the course in (REFR-19).

    An override has a record and templates of its own, so that the default ones are never rewritten for one query
    (V2-7). An API version without a template here shows the default item.
    """

    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.CASCADE, related_name="content_overrides")
    content = models.ForeignKey(
        ContentMetadata, on_delete=models.CASCADE, related_name="overrides", db_column="content_key"
    )
    forced = models.BooleanField()
    # The keys of restricted runs of this course that the filter allows.
    allowed_keys = models.JSONField(default=list)
    # The full record as fetched for this query, packed.
    record = models.BinaryField()
    # The packed document that replaces the search document of a forced course (REFR-19).
    search_document = models.BinaryField(null=True)
    digest = models.CharField(max_length=32)
    rendered_v1 = models.BinaryField(null=True)
    rendered_v2 = models.BinaryField()
    active_v1 = models.BooleanField()
    active_v2 = models.BooleanField()
    modified = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["catalog_query", "content"], name="override_once_per_query")]


class AllowedRun(models.Model):
    """A restricted run of a course that one query's filter allows, and v2 shows (V2-1)."""

    override = models.ForeignKey(ContentOverride, on_delete=models.CASCADE, related_name="allowed_runs")
    # Copied from the override, so that containment is answered from one index.
    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.CASCADE, related_name="allowed_runs")
    course_key = ContentKeyField()
    run_key = ContentKeyField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["catalog_query", "run_key", "course_key"], name="allowed_once_per_query")
        ]
        # For finding the courses of a run (ADD-5).
        indexes = [models.Index(fields=["run_key"], name="allowed_by_run")]
