"""
The work: one row for every recorded attempt to bring a query's members up to date.

The rows are the queue. The broker only carries nudges, so losing it loses nothing (P5, P10), and "at most one
waiting, at most one running" is a pair of unique columns, true in the database whatever processes do (P4).
"""

import uuid

from django.db import models

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.fields import ContentKeyField, HexUUIDField
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
    # A run survives its query (RUN-5), so the query's uuid is kept beside the reference.
    catalog_query = models.ForeignKey(CatalogQuery, null=True, on_delete=models.SET_NULL, related_name="refresh_runs")
    catalog_query_uuid = HexUUIDField(db_index=True)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)

    # The query's id while waiting, or while running, else null: unique columns with nulls work on every database.
    queued_for = models.PositiveBigIntegerField(null=True, unique=True)
    running_for = models.PositiveBigIntegerField(null=True, unique=True)
    # When somebody last asked for it; null while only the schedule did. What people wait for comes first.
    asked_at = models.DateTimeField(null=True)
    # For whom: customers' uuids, or who else asks (`refresh.rate_limit.request_budget`); each once, the last of them
    # last. Null while only the schedule asked, and in rows of a version that did not know it.
    asked_by = models.JSONField(null=True)
    # It waits (`not_before`) for want of budget, not because discovery wants a pause: who asks now may have budget.
    paused_for_budget = models.BooleanField(null=True)
    # How many requests this run serves. Counting them takes the row's lock, which is what makes joining safe (see
    # `refresh.queue.enqueue`).
    requests = models.PositiveIntegerField(default=1)

    lease_until = models.DateTimeField(null=True)
    # Grows with every claim: a worker that lost its lease finds another number here and may write nothing any more.
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Workers that died over it; too many, and the run itself must be what kills them.
    lost_workers = models.PositiveSmallIntegerField(default=0)
    # Discovery asked for a longer pause than a worker may sleep: nobody claims the run before (RUN-2).
    not_before = models.DateTimeField(null=True)
    nudged_at = models.DateTimeField(null=True)
    # The filter this run fetched with; another one by the time of publishing refuses the result (REFR-5).
    filter_hash = models.CharField(max_length=32, default="")
    # Ask for every member's full record, also those that are fresh.
    forced = models.BooleanField(default=False)

    # What a held run would publish (packed list of content keys), and since when the same set has been held (REFR-10).
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
            # What operators look at: the newest, and what ended lately.
            models.Index(fields=["requested_at"], name="refresh_runs_by_request"),
            models.Index(fields=["finished_at"], name="refresh_runs_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"


class QuarantinedDocument(models.Model):
    """A document of a search result that could not be stored; the rest of the result was (P7, DISC-17)."""

    refresh_run = models.ForeignKey(RefreshRun, on_delete=models.CASCADE, related_name="quarantined_documents")
    # As far as one could be told; cut to fit.
    content_key = ContentKeyField(blank=True)
    reason = models.CharField(max_length=255)

    class Meta:
        # Which runs set this aside? (ADD-5)
        indexes = [models.Index(fields=["content_key"], name="quarantined_by_key")]


class DiscoveryBudget(models.Model):
    """
    What all workers together asked of discovery lately (DISC-16): one row, which each of them locks to count, so that
    the sum never exceeds the budget.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    # Number of requests by minute (of the epoch, as text), of the last hour.
    spent = models.JSONField(default=dict)
    # Of them, for whom: the same by payer (`refresh.rate_limit.request_budget`). The version before writes the sum
    # only.
    spent_by = models.JSONField(null=True)


class KeptAnswer(models.Model):
    """
    An answer of discovery to a fetch that the budget may interrupt, so that it need not be asked for again when the
    fetch goes on. Kept for the search, not for a run: whichever run of an equal search comes next goes on with it.
    """

    equivalence_key = models.CharField(max_length=32)
    # Digest of what was asked.
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
    What a content filter would find, asked for before it is saved anywhere. A row for a day: nothing of the catalog
    refers to it, and it refers to others by plain ids, which the version before may delete under it.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    uuid = HexUUIDField(primary_key=True, default=uuid.uuid4)
    content_filter = models.JSONField()
    # The row it was asked for, and whose members it is compared with: one of the two, or neither for a row to come.
    catalog_uuid = HexUUIDField(null=True)
    catalog_query_id = models.PositiveBigIntegerField(null=True)
    # The user who asked.
    requested_by = models.PositiveBigIntegerField(null=True, db_index=True)
    # What else stood in the form (field to text), for who comes back to it.
    typed = models.JSONField(default=dict)

    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    # Which of the places of those that run at once (FILTER_PREVIEWS_AT_ONCE), else null.
    place = models.PositiveSmallIntegerField(null=True, unique=True)
    lease_until = models.DateTimeField(null=True)
    # As of a run.
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    nudged_at = models.DateTimeField(null=True)

    requests_done = models.PositiveIntegerField(default=0)
    # Null until the first answer says how many there are.
    requests_expected = models.PositiveIntegerField(null=True)

    # Of what was found: all content keys (packed, sorted), how many there are, and of the first ones
    # [content key, content type, title].
    found_keys = models.BinaryField(null=True)
    counts = models.JSONField(null=True)
    first_items = models.JSONField(null=True)
    reason_code = models.CharField(max_length=32, default="", blank=True)
    reason_detail = models.TextField(default="", blank=True)

    requested_at = models.DateTimeField(db_index=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        # Whoever may change catalogs or queries may try a filter for them.
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.uuid} ({self.state})"


class Sweep(models.Model):
    """A background job over everything, done by whichever worker finds it due first."""

    name = models.CharField(max_length=32, primary_key=True)
    due_at = models.DateTimeField()


TICK = "tick"
