"""
The store: which searches there are, who is attached to them, which keys they hold and what those keys say.

Rows only: nothing here may call another service, start a refresh or know of requests. Content is narrow
(`ContentMetadata`) with its documents beside it (`ContentDocuments`), so that membership and containment are answered
from indexes that never touch a document.
"""

import uuid

from django.db import models

from enterprise_catalog.apps.catalog.models.history import QueryHistory
from enterprise_catalog.apps.core.callers import CallerRecords
from enterprise_catalog.apps.core.fields import BinaryCollationMixin, ContentKeyField, HexUUIDField


class ExactCharField(BinaryCollationMixin, models.CharField):
    """Text that is unique, or looked up, exactly as written on every database."""


class CatalogQuery(models.Model):
    """
    A saved search, shared by any number of catalogs of any number of customers.

    The row carries what every page and every list needs (counts, generation, moments), so that reading a catalog
    never counts or aggregates its members. It is shared between tenants: only `catalog.queries.resolution` may change
    its filter, uuid or title.
    """

    uuid = HexUUIDField(unique=True, default=uuid.uuid4)
    title = ExactCharField(max_length=255, unique=True, null=True, blank=True)
    # True once a caller gave it a uuid or a title: others may then rely on that name (QRY-4).
    named = models.BooleanField(default=False)
    content_filter = models.JSONField(default=dict)
    content_filter_hash = models.CharField(max_length=32, unique=True, editable=False)
    # Queries that make discovery do the same work share one fetch (HASH-2).
    equivalence_key = models.CharField(max_length=32, db_index=True, editable=False)

    # Written by publishing only.
    refreshed_at = models.DateTimeField(null=True, editable=False, db_index=True)
    published_filter_hash = models.CharField(max_length=32, default="", editable=False)
    generation = models.PositiveBigIntegerField(default=0, editable=False)
    # Moves with every change of any byte of any member's item, whoever's refresh brought it, also where nothing counts
    # as modified (reviews, a new rendering): together with the generation it is what ETags hold (COM-18).
    items_version = models.PositiveBigIntegerField(default=0, editable=False)
    content_modified = models.DateTimeField(null=True, editable=False)
    member_count = models.PositiveIntegerField(default=0, editable=False)
    count_v1 = models.PositiveIntegerField(default=0, editable=False)
    count_v2 = models.PositiveIntegerField(default=0, editable=False)
    # Defaults of the database, here and below: the version before, still at work during an upgrade, writes none.
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
        # Without changing anything that somebody wrote.
        permissions = [("refresh_catalogquery", "Can refresh catalog queries, also from their catalogs")]

    def __str__(self) -> str:
        return self.title or str(self.uuid)


class EnterpriseCatalog(models.Model):
    """A catalog query attached to an enterprise customer. The customer's own record lives in the LMS."""

    uuid = HexUUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=255)
    enterprise_uuid = HexUUIDField(db_index=True, verbose_name="enterprise customer")
    # As the caller named it, for UTM parameters (META-22).
    enterprise_name = models.CharField(max_length=255, verbose_name="enterprise customer name")
    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.PROTECT, related_name="catalogs")
    enabled_course_modes = models.JSONField(default=list)
    publish_audit_enrollment_urls = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)
    # The last real change: set by the operations that change a row, since an identical write must leave it (CRUD-1).
    modified = models.DateTimeField()

    history = CallerRecords()

    class Meta:
        ordering = ["created", "uuid"]
        indexes = [models.Index(fields=["enterprise_uuid", "created", "uuid"], name="catalog_of_customer")]

    def __str__(self) -> str:
        return f"{self.title} ({self.uuid})"


class ContentMetadata(models.Model):
    """
    One course, course run, program or pathway that some query returned, without its documents.

    `modified` moves only when a stored document really changed (META-21); the digests tell.
    """

    class ContentType(models.TextChoices):
        COURSE = "course"
        COURSE_RUN = "courserun", "course run"
        PROGRAM = "program"
        PATHWAY = "learnerpathway", "learner pathway"

    content_key = ContentKeyField(primary_key=True)
    content_uuid = HexUUIDField(null=True, db_index=True)
    content_type = models.CharField(max_length=16, choices=ContentType.choices)
    parent_content_key = ContentKeyField(null=True, db_index=True)
    # META-20; only courses can be inactive.
    active = models.BooleanField(default=True)
    # A top-level run with a restriction type (V2-2).
    restricted = models.BooleanField(default=False)
    # What the legacy surface drops from its lists is False (LEG-5).
    listed_on_legacy = models.BooleanField(default=False, db_default=False)

    # Of the search document: what every filter sees alike, which of several possible answers is stored, and what it
    # says in the fields that differ between answers (see `catalog.content.search_document_variants`).
    search_digest = models.CharField(max_length=32)
    variant_rank = models.CharField(max_length=32)
    variant_digest = models.CharField(max_length=32)
    record_digest = models.CharField(max_length=32, default="")
    # Of the item as served: an ETag that needs no document (COM-18).
    rendered_digest = models.CharField(max_length=32, default="")
    rendering_version = models.PositiveSmallIntegerField()

    created = models.DateTimeField()
    modified = models.DateTimeField()

    class Meta:
        verbose_name = "content metadata"
        verbose_name_plural = "content metadata"

    def __str__(self) -> str:
        return self.content_key


class ContentDocuments(models.Model):
    """
    What discovery said about a content, and how the API says it, as opaque packed bytes (see `core.packed_json`).

    No JSON columns: nobody queries inside a document, and a database that parses, validates or reorders it only costs.
    """

    content = models.OneToOneField(
        ContentMetadata, on_delete=models.CASCADE, primary_key=True, related_name="documents", db_column="content_key"
    )
    # The item as served, with gaps for what depends on the catalog (see `catalog.rendering.item_template`).
    rendered = models.BinaryField()
    search_document = models.BinaryField()
    full_record = models.BinaryField(null=True)

    class Meta:
        verbose_name_plural = "content documents"


class NestedRun(models.Model):
    """
    A course run that appears in a course's documents, whether or not discovery ever returned it on its own (CONT-1).
    """

    course = models.ForeignKey(
        ContentMetadata, on_delete=models.CASCADE, related_name="nested_runs", db_column="course_key"
    )
    run_key = ContentKeyField(db_index=True)
    restricted = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "run_key"], name="nested_run_once_per_course")]


class FullRecordRequest(models.Model):
    """
    When discovery was last asked for the full record of a key, also when it knew none.

    Apart from the content, so that a refresh which finds nothing new writes no content row.
    """

    content_key = ContentKeyField(primary_key=True)
    requested_at = models.DateTimeField()


class CourseReview(models.Model):
    """Learners' ratings of a course, joined to its item when it is rendered (META-19)."""

    course_key = ContentKeyField(primary_key=True)
    reviews_count = models.PositiveIntegerField()
    avg_course_rating = models.FloatField()


class Standing(models.IntegerChoices):
    """What a surface does with a member of a query."""

    HIDDEN = 0, "hidden"
    CONTAINED = 1, "contained, listed only when asked for by key"
    LISTED = 2, "listed"


class CatalogContentKey(models.Model):
    """
    Membership: this query holds this key.

    The standings say what each surface does with it (META-4, V2-2, LEG-5). Their indexes hold all that cutting a page
    takes, in key order.
    """

    catalog_query = models.ForeignKey(CatalogQuery, on_delete=models.CASCADE, related_name="content_keys")
    content = models.ForeignKey(
        ContentMetadata, on_delete=models.PROTECT, related_name="memberships", db_column="content_key"
    )
    standing_v1 = models.PositiveSmallIntegerField(choices=Standing.choices)
    standing_v2 = models.PositiveSmallIntegerField(choices=Standing.choices)
    standing_legacy = models.PositiveSmallIntegerField(choices=Standing.choices, db_default=Standing.CONTAINED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["catalog_query", "content"], name="content_key_once_per_query")]
        indexes = [
            models.Index(fields=["catalog_query", "standing_v1", "content"], name="pages_of_query_v1"),
            models.Index(fields=["catalog_query", "standing_v2", "content"], name="pages_of_query_v2"),
            models.Index(fields=["catalog_query", "standing_legacy", "content"], name="pages_of_query_legacy"),
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


class CatalogContentChange(models.Model):
    """
    A key joined or left a query, or one catalog that was attached elsewhere. Append-only; pruned by age.

    Keys, types and runs are copied: a change outlives the content and the run it speaks of.
    """

    class Change(models.TextChoices):
        ADDED = "added"
        REMOVED = "removed"

    # No constraint: the change of a query that was pruned or replaced is still part of its catalogs' past.
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
            # A catalog's own changes stand between those of its query, which are found past any number of them.
            models.Index(fields=["catalog_query", "enterprise_catalog", "id"], name="changes_of_query"),
            # Since when something is, or is no more, in one of many catalogs (ADD-5).
            models.Index(fields=["content_key", "catalog_query", "enterprise_catalog"], name="changes_of_content"),
        ]


class CatalogAttachment(models.Model):
    """
    Which changes of a query are those of a catalog: the ones written while it was attached (CHG-2).

    Written together with the attachment, while the query is locked, so that ids tell before from after. The query may
    be gone since.
    """

    enterprise_catalog = models.ForeignKey(EnterpriseCatalog, on_delete=models.CASCADE, related_name="attachments")
    catalog_query = models.ForeignKey(
        CatalogQuery, on_delete=models.DO_NOTHING, db_constraint=False, related_name="attachments"
    )
    # Ids of changes, which may be pruned. No end: it is attached now.
    begins_after = models.PositiveBigIntegerField()
    ends_with = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering = ["id"]
