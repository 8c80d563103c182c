"""
Store refresh runs, previews and what they need.

The rows are the queue. The broker only carries notifications, so losing it loses nothing (P5, P10). Two unique columns
hold "at most one waiting and one running run per query" in the database, whatever processes do (P4).
"""

import uuid

from django.db import models

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.fields import ContentKeyField, HexUUIDField, JsonTextField
from enterprise_catalog.apps.refresh import failure_reasons


class RefreshRun(models.Model):
    """A refresh of one catalog query. Its uuid is the `async_task_id` clients get (REFR-1, RUN-1)."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PUBLISHED = "published"
        HELD = "held"
        FAILED = "failed"

    class Trigger(models.TextChoices):
        CREATE = "create"
        UPDATE = "update"
        REQUEST = "request"
        SCHEDULE = "schedule"
        OPERATOR = "operator"

    Reason = failure_reasons.Reason

    uuid = HexUUIDField(primary_key=True, default=uuid.uuid4)
    # A run survives its query (RUN-5), so the query's uuid is stored beside the reference.
    catalog_query = models.ForeignKey(CatalogQuery, null=True, on_delete=models.SET_NULL, related_name="refresh_runs")
    catalog_query_uuid = HexUUIDField(db_index=True)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)

    # The query's id while waiting, or while running, else null: unique columns with nulls work on every database.
    queued_for = models.PositiveBigIntegerField(null=True, unique=True)
    running_for = models.PositiveBigIntegerField(null=True, unique=True)
    # When somebody last asked for it; null while only the schedule did. Runs that people wait for come first.
    asked_at = models.DateTimeField(null=True)
    # Who asked, the latest last: uuids of customers, or other consumers (`refresh.rate_limit.request_budget`). Null
    # while only the schedule asked, and in rows of a version without this column.
    asked_by = models.JSONField(null=True)
    # It was postponed because of the budget, not by discovery, so a new asker with budget left can resume it.
    paused_for_budget = models.BooleanField(null=True)
    # How many requests this run serves. Counting them takes the row's lock, which makes joining safe
    # (`refresh.queue.enqueue`).
    requests = models.PositiveIntegerField(default=1)

    lease_until = models.DateTimeField(null=True)
    # Increased by every claim: a worker that lost its lease holds an old number and can write nothing any more.
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Workers that died during this run. After too many, the run itself must be the cause.
    lost_workers = models.PositiveSmallIntegerField(default=0)
    # Nobody claims the run before this time (RUN-2).
    not_before = models.DateTimeField(null=True)
    nudged_at = models.DateTimeField(null=True)
    # The filter that this run fetched with. The result is refused if the query has another one by then (REFR-5).
    filter_hash = models.CharField(max_length=32, default="")
    # Fetch every member's full record, also fresh ones.
    forced = models.BooleanField(default=False)

    # What a held run would publish (packed list of content keys), and since when this set has been held (REFR-10).
    held_keys = models.BinaryField(null=True)
    held_since = models.DateTimeField(null=True)

    counts = models.JSONField(null=True)
    reason_code = models.CharField(max_length=32, default="", blank=True)
    reason_detail = models.TextField(default="", blank=True)

    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-requested_at"]
        indexes = [
            models.Index(fields=["state", "requested_at"], name="refresh_runs_by_state"),
            models.Index(fields=["catalog_query", "requested_at"], name="refresh_runs_of_query"),
            # For operators: the newest runs, and those that ended last.
            models.Index(fields=["requested_at"], name="refresh_runs_by_request"),
            models.Index(fields=["finished_at"], name="refresh_runs_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"


class QuarantinedDocument(models.Model):
    """A document of a search result that could not be stored or served; the others were (P7, DISC-17)."""

    refresh_run = models.ForeignKey(RefreshRun, on_delete=models.CASCADE, related_name="quarantined_documents")
    # Empty if the document has none; cut to fit.
    content_key = ContentKeyField(blank=True)
    reason = models.CharField(max_length=255)

    class Meta:
        # For the runs that quarantined a key (ADD-5).
        indexes = [models.Index(fields=["content_key"], name="quarantined_by_key")]


class DiscoveryBudget(models.Model):
    """The requests of all workers to discovery in the last hour (DISC-16): one row, which each locks to count."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    # Number of requests by minute of the epoch (as text).
    spent = models.JSONField(default=dict)
    # The same by consumer (`refresh.rate_limit.request_budget`). An older version writes the sum only.
    spent_by = models.JSONField(null=True)


class KeptAnswer(models.Model):
    """
    A cached answer of discovery to a fetch that the budget may interrupt.

    Cached for a search, not for a run: the next run of an equal search goes on with it.
    """

    equivalence_key = models.CharField(max_length=32)
    # Digest of the discovery request.
    question = models.CharField(max_length=32)
    answered_at = models.DateTimeField()
    # Packed.
    answer = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["equivalence_key", "question"], name="one_kept_answer_per_question")
        ]


class FilterPreview(models.Model):
    """
    What a content filter would find, requested before the filter is saved anywhere.

    The row is deleted after FILTER_PREVIEWS_HOURS. It refers to other rows by plain ids, since an older version may
    delete them and knows nothing of previews.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    uuid = HexUUIDField(primary_key=True, default=uuid.uuid4)
    content_filter = JsonTextField()
    # The row whose members it is compared with: one of the two, or neither for a row that does not exist yet.
    catalog_uuid = HexUUIDField(null=True)
    catalog_query_id = models.PositiveBigIntegerField(null=True)
    # The id of the user who asked.
    requested_by = models.PositiveBigIntegerField(null=True, db_index=True)
    # The other values of the form (field to text), so that it can be filled again.
    typed = models.JSONField(default=dict)

    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    # While it runs, one of FILTER_PREVIEWS_AT_ONCE numbers; else null.
    place = models.PositiveSmallIntegerField(null=True, unique=True)
    lease_until = models.DateTimeField(null=True)
    # As of a run.
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    nudged_at = models.DateTimeField(null=True)

    requests_done = models.PositiveIntegerField(default=0)
    # Null until the first answer says how many are needed.
    requests_expected = models.PositiveIntegerField(null=True)

    # The result: all content keys (packed, sorted), counts, and of the first items [content key, content type, title].
    found_keys = models.BinaryField(null=True)
    counts = models.JSONField(null=True)
    first_items = models.JSONField(null=True)
    reason_code = models.CharField(max_length=32, default="", blank=True)
    reason_detail = models.TextField(default="", blank=True)

    requested_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        # The permissions to change catalogs or queries cover previews.
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"


class Sweep(models.Model):
    """A periodic job, and when it is due (`refresh.scheduling.periodic_jobs`)."""

    name = models.CharField(max_length=32, primary_key=True)
    due_at = models.DateTimeField()


# The name of the tick's row in `Sweep`.
TICK = "tick"
