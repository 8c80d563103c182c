"""Content with its documents, nested runs and reviews, and requests for full records."""

from django.db import models

from enterprise_catalog.apps.core.fields import ContentKeyField, HexUUIDField


class ContentMetadata(models.Model):
    """
    One course, course run, program or pathway that some query returned, without its documents.

    `modified` changes only when a stored document really changes, as its digests show (META-21).
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
    # False if the legacy API leaves it out of lists (LEG-5).
    listed_on_legacy = models.BooleanField(default=False, db_default=False)

    # The stored variant of the search document: a digest of the fields that are equal for every filter, its rank, and a
    # digest of the other fields (see `catalog.content.search_document_variants`).
    search_digest = models.CharField(max_length=32)
    variant_rank = models.CharField(max_length=32)
    variant_digest = models.CharField(max_length=32)
    record_digest = models.CharField(max_length=32, default="")
    # Of the item template, so that an ETag needs no document (COM-18).
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
    The documents that discovery sent for a content, and its item template, as opaque packed bytes (see
    `core.packed_json`).

    They are not JSON columns: nobody queries inside a document, and a database would spend time parsing it.
    """

    content = models.OneToOneField(
        ContentMetadata, on_delete=models.CASCADE, primary_key=True, related_name="documents", db_column="content_key"
    )
    # The item template (see `catalog.rendering.item_template`).
    rendered = models.BinaryField()
    search_document = models.BinaryField()
    full_record = models.BinaryField(null=True)

    class Meta:
        verbose_name_plural = "content documents"


class NestedRun(models.Model):
    """
    A course run inside a course's documents, whether or not discovery ever returned it on its own (CONT-1).
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
    The last request to discovery for the full record of a key, also if discovery had none.

    In a table of its own, so that a refresh that finds nothing new writes no row of content.
    """

    content_key = ContentKeyField(primary_key=True)
    requested_at = models.DateTimeField()


class CourseReview(models.Model):
    """Learners' ratings of a course, which become part of its item when it is rendered (META-19)."""

    course_key = ContentKeyField(primary_key=True)
    reviews_count = models.PositiveIntegerField()
    avg_course_rating = models.FloatField()
