"""Which keys a query holds, and what one query shows of a content in its own way."""

from django.db import models

from enterprise_catalog.apps.catalog.models.content import ContentMetadata
from enterprise_catalog.apps.catalog.models.queries import CatalogQuery
from enterprise_catalog.apps.core.fields import ContentKeyField


class Visibility(models.IntegerChoices):
    """What a surface does with a member of a query."""

    HIDDEN = 0, "hidden"
    CONTAINED = 1, "contained, listed only when asked for by key"
    LISTED = 2, "listed"


class CatalogContentKey(models.Model):
    """
    Membership: this query holds this key.

    The visibility say what each surface does with it (META-4, V2-2, LEG-5). Their indexes hold all that cutting a page
    takes, in key order.
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
    What one query says of a course otherwise than all others: runs its filter allows (V2-5), or a course it forces in
    (REFR-19).

    Each override has its own record and renderings, so that the shared ones are never rewritten for one query's sake
    (V2-7). A surface without a rendering here shows the shared item.
    """

    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.CASCADE, related_name="content_overrides")
    content = models.ForeignKey(
        ContentMetadata, on_delete=models.CASCADE, related_name="overrides", db_column="content_key"
    )
    forced = models.BooleanField()
    # Keys of the restricted runs that the filter allows of this course.
    allowed_keys = models.JSONField(default=list)
    # The full record as fetched for this query, packed.
    record = models.BinaryField()
    # What stands for the search document of a forced course (REFR-19), packed.
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
        # Of which course is it a run? (ADD-5)
        indexes = [models.Index(fields=["run_key"], name="allowed_by_run")]
