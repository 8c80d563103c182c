"""
Settings of workers: calls to other services, refreshes and previews. `base` imports all of them.
"""

import os
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.settings.environment import Environment

env = Environment()

# --- Calls to other services -----------------------------------------------------------------------------------------

# The end of the User-Agent header. Without it, edx-rest-api-client looks up this host's address when it is imported,
# and sends that.
os.environ.setdefault("EDX_REST_API_CLIENT_NAME", "enterprise-catalog")

# A worker renews its lease before each attempt and each part of a pause, so both must be shorter than LEASE_SECONDS
# (`core.http_client.client`).
SERVICE_CONNECT_TIMEOUT_SECONDS = 3.05
# Discovery takes some seconds for a page of 100. A longer silence is a failure.
SERVICE_READ_TIMEOUT_SECONDS = 20
# A whole answer. A slow one must not outlast the lease.
SERVICE_ATTEMPT_SECONDS = 45
SERVICE_WAIT_SLICE_SECONDS = 10
# Four attempts outlast a restart of the other service. After a longer outage the schedule tries again.
SERVICE_ATTEMPTS = 4
SERVICE_FIRST_PAUSE_SECONDS = 1
SERVICE_MAX_PAUSE_SECONDS = 20
# A longer `Retry-After` ends the call, so that a worker does other work instead of sleeping.
SERVICE_MAX_WAIT_SECONDS = 60
# All attempts and pauses of one call together.
SERVICE_CALL_SECONDS = 180
# Tokens are renewed this long before they expire.
SERVICE_TOKEN_MARGIN_SECONDS = 60

# Items per page of a search (discovery allows 100) and keys per call for full records (DISC-18).
DISCOVERY_PAGE_SIZE = env.int("DISCOVERY_PAGE_SIZE", default=100)
# What one answer may cost a worker (DISC-17): three times a page of 500 real items, or of a larger DISCOVERY_PAGE_SIZE.
# A real item has about 20 kB. Decoded bytes are counted, because compression may hide a thousand times as many. Values
# are counted before parsing, because `[{},{},...]` takes thirty times its length in memory. Real answers have at most
# 70 commas and brackets in 1,000 bytes.
_ITEMS = max(DISCOVERY_PAGE_SIZE, 500)
SERVICE_MAX_BODY_BYTES = _ITEMS * 64 * 1024
SERVICE_MAX_BODY_VALUES = _ITEMS * 2_000
# An answer with a token has some 2 kB.
SERVICE_MAX_TOKEN_BYTES = 64 * 1024
# Items of the largest page that discovery sends, whatever the request says.
DISCOVERY_LARGEST_PAGE = 5_000
# Characters of a page's `next`. Cursors of discovery have some 100.
DISCOVERY_NEXT_MAX_CHARACTERS = 8_000
# Compressed bytes that one fetch may hold until they are stored: four times 20,000 courses with their full records.
# Larger results fail and change nothing (`window_exceeded`).
DISCOVERY_MAX_RESULT_BYTES = env.int("DISCOVERY_MAX_RESULT_BYTES", default=512 * 1024 * 1024)
# ... and items that it may have, of any size, so that paging ends even if each page brings a new item.
DISCOVERY_MAX_ITEMS = 200_000
DISCOVERY_KEYS_PER_CALL = 50
# Servers refuse request lines above 4 kB, so a request has fewer keys if they are long.
DISCOVERY_KEYS_MAX_CHARACTERS = 3_500
# Requests to discovery per hour by all workers together; 0 for no limit. Discovery allows an ordinary user 200 and
# staff any number (DISC-16).
DISCOVERY_REQUESTS_PER_HOUR = env.int("DISCOVERY_REQUESTS_PER_HOUR", default=200)
# The share of them that only due queries may use, so that they are fresh within a day whatever people request. The rest
# is for refreshes that people request, divided fairly among them (RUN-7).
DISCOVERY_DUE_SHARE = env.float("DISCOVERY_DUE_SHARE", default=0.5)
# Due queries may use the rest too, except for this share of the whole. So somebody who requests a refresh while very
# many are due, as after an outage, waits minutes and not an hour.
DISCOVERY_ASKED_SHARE = env.float("DISCOVERY_ASKED_SHARE", default=0.1)
# The share of the rest that everybody may use while any of it is free: enough for a search of a few pages, so that a
# single request is not interrupted because others came before.
DISCOVERY_FIRST_SHARE = 0.05
# The most callers who are stored with a waiting run, and whose share may pay for it: far more than request the same
# query within the minutes that it waits, and they fit a row.
ASKERS_PER_RUN = 100
# A request within so many minutes after a publish joins that run, so that pressing the button again costs nothing
# (RUN-8). Most edits in discovery are no newer. 0: each request gets a refresh.
REFRESH_JOIN_MINUTES = env.int("REFRESH_JOIN_MINUTES", default=10)
# A run that the budget interrupted waits this long at least before it goes on.
DISCOVERY_BUDGET_PAUSE_SECONDS = 300
# A run that was interrupted so often had more than twice CACHED_ANSWERS_HOURS. It fails, and its query waits its turn
# again.
REFRESH_MAX_ATTEMPTS = 100
# Answers from before an interruption are used for this long. With REFRESH_INTERVAL_HOURS and REFRESH_SPREAD_MINUTES
# this is a day at most.
CACHED_ANSWERS_HOURS = 3
# A page of 100 items has a third of this. Larger answers come near a small max_allowed_packet and are not cached.
CACHED_ANSWER_MAX_BYTES = 1024 * 1024
# Discovery stops counting hits here, so that exactly this many means "at least" (DISC-8).
DISCOVERY_COUNT_CAP = env.int("DISCOVERY_COUNT_CAP", default=10_000)
# Search v1 cannot page past this many hits (DISC-9).
DISCOVERY_WINDOW = 15_000

# --- Refresh schedule (P3) -------------------------------------------------------------------------------------------

# 20 hours leave four for retries before the promised 24 are over.
REFRESH_INTERVAL_HOURS = env.int("REFRESH_INTERVAL_HOURS", default=20)
FULL_RECORD_MAX_AGE_HOURS = env.int("FULL_RECORD_MAX_AGE_HOURS", default=20)
# A refresh that somebody requests fetches the full records of all members, whatever their age, if the catalog has no
# more members than this. It takes 20 calls, a tenth of what discovery allows an ordinary user per hour (REFR-4,
# DISC-16).
FULL_RECORDS_ON_REQUEST = env.int("FULL_RECORDS_ON_REQUEST", default=1000)
REVIEWS_INTERVAL_HOURS = env.int("REVIEWS_INTERVAL_HOURS", default=24)
# The job takes less than this. If it takes longer, its worker died and another one begins.
REVIEWS_JOB_MINUTES = 30
# Top-level fields of search documents and full records whose changes are stored and shown, but move no date (META-21).
# Counters change daily, and discovery adds a field to all records at once: integrated channels would send every course
# again.
UNDATED_FIELDS = env.list(
    "UNDATED_FIELDS",
    default=["b2c_subscription_inclusion", "data_modified_timestamp", "enrollment_count", "recent_enrollment_count"],
)
# The promise: older content is stale.
FRESHNESS_HOURS = 24
# Each search becomes due up to so many minutes after REFRESH_INTERVAL_HOURS. Queries that were refreshed together, as
# after an outage, therefore become due at different times.
REFRESH_SPREAD_MINUTES = 60
# How often the log names late queries, and how many of them at most; `manage.py freshness` lists all.
FRESHNESS_REPORT_MINUTES = 10
LATE_QUERIES_LOGGED = 20
# How often beat looks for due queries and expired leases; with the lease it bounds recovery below two minutes (P5).
TICK_SECONDS = env.int("TICK_SECONDS", default=30)
# A worker that does not renew its lease within this time counts as dead.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)
# A run that has lost this many workers probably kills them, and fails.
REFRESH_MAX_LOST_WORKERS = 5
# Discovery's throttle counts per hour, so a run tries again after this time whatever `Retry-After` says ...
REFRESH_MAX_PAUSE_SECONDS = 3600
# ... and is postponed for this long at most: whoever requested it a day ago learns that it failed (P10).
REFRESH_MAX_POSTPONED_HOURS = 24
# A run whose database failed waits this long, so that a server can restart.
DATABASE_FAILURE_PAUSE_SECONDS = 10

# After a failed refresh the schedule skips a query for this long, because discovery is probably still failing ...
FAILED_REFRESH_PAUSE_MINUTES = 10
# ... and after a held one for this long, because each refresh reads the whole result and uses the shared budget.
HELD_REFRESH_PAUSE_MINUTES = 60
# The most due queries that one tick enqueues, so that those of a whole day never start together.
DUE_QUERIES_PER_TICK = 50
# Workers are notified of a waiting run again after this long, because a notification may be lost (P5) ...
NOTIFY_AGAIN_SECONDS = 60
# ... and of so many runs per tick at most, because workers only need to know that there is work.
NOTIFICATIONS_PER_TICK = 200

# The guard (REFR-9): smaller catalogs may change freely. Larger ones may not lose more than this share of their members
# or grow by more than this factor ...
GUARD_MIN_ITEMS = env.int("GUARD_MIN_ITEMS", default=10)
GUARD_MAX_REMOVED = env.float("GUARD_MAX_REMOVED", default=0.5)
GUARD_MAX_GROWTH = env.float("GUARD_MAX_GROWTH", default=5)
# A filter with an empty value may find everything that discovery has. It may bring so many members to a catalog without
# any: the large catalogs of customers are lists of partners or topics, not of everything ...
GUARD_MAX_FIRST_ITEMS = env.int("GUARD_MAX_FIRST_ITEMS", default=1000)
# ... unless a refresh after this time still finds the same: real changes last, glitches do not (REFR-10).
GUARD_REPEAT_HOURS = env.int("GUARD_REPEAT_HOURS", default=20)

# --- Previews of filters ---------------------------------------------------------------------------------------------

# A preview may take as long as a large search, and uses a worker. One at a time leaves the other workers to refreshes.
# Each person has at most one that waits or runs.
FILTER_PREVIEWS_AT_ONCE = 1
# A preview that has lost so many workers is not tried again. The person who waits for it can press the button again.
FILTER_PREVIEW_ATTEMPTS = 2
# The most previews stored per person. Each holds its filter, which may have 1 MiB, and the keys that were found.
FILTER_PREVIEWS_KEPT = 10
# Older previews are deleted, because discovery's content has changed since.
FILTER_PREVIEWS_HOURS = 24

# --- Copies of LMS customers -----------------------------------------------------------------------------------------

# Portal flags and names follow the LMS within the hour (CUST-2), including the time until the next sync ...
CUSTOMER_REFRESH_MINUTES = 55
# ... and a customer that could not be copied is tried again by the next sync. Syncs begin every minute, some a little
# earlier.
CUSTOMER_RETRY_SECONDS = 50
# A sync takes no longer than this, so that an LMS that is down or hangs uses one worker for a part of each minute.
CUSTOMER_SYNC_SECONDS = 20

# --- Periodic tasks --------------------------------------------------------------------------------------------------

# Beat only asks workers to look what is due: rows say when a job was done last. So beat needs no file, and one that
# restarts, lost its file or finds an old one changes nothing (ADD-8). With this class it keeps its times in memory.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# How often it asks for jobs whose own interval is longer.
JOB_CHECK_SECONDS = 60


def asked_every(seconds: float, task: str) -> dict:
    """Return an entry of beat's schedule. Beat sends the task when it starts, and then at this interval."""
    return {"task": task, "schedule": seconds, "last_run_at": datetime.fromtimestamp(0, tz=UTC)}


CELERY_BEAT_SCHEDULE = {
    "tick": asked_every(TICK_SECONDS, "refresh.tick"),
    "customers": asked_every(JOB_CHECK_SECONDS, "customers.sync_due_customers"),
    # One statement says whether each of these is due: REVIEWS_INTERVAL_HOURS, FRESHNESS_REPORT_MINUTES,
    # PRUNING_INTERVAL_MINUTES.
    "reviews": asked_every(JOB_CHECK_SECONDS, "refresh.sweep_reviews"),
    "freshness": asked_every(JOB_CHECK_SECONDS, "refresh.report_freshness"),
    "pruning": asked_every(JOB_CHECK_SECONDS, "refresh.prune"),
}
# No results are stored. Otherwise beat would send a task of Celery's own that deletes old ones, once a day.
CELERY_RESULT_EXPIRES = None

# With less than these minimums no work would be done, or it would never end.
_LEAST = {
    "DISCOVERY_PAGE_SIZE": 1,
    "DISCOVERY_REQUESTS_PER_HOUR": 0,
    "DISCOVERY_DUE_SHARE": 0,
    "DISCOVERY_ASKED_SHARE": 0,
    "REFRESH_JOIN_MINUTES": 0,
    "DISCOVERY_COUNT_CAP": 1,
    # The largest document that can be stored, and the overhead for it.
    "DISCOVERY_MAX_RESULT_BYTES": 4 * 1024 * 1024,
    "REFRESH_INTERVAL_HOURS": 1,
    "FULL_RECORD_MAX_AGE_HOURS": 1,
    "FULL_RECORDS_ON_REQUEST": 0,
    "REVIEWS_INTERVAL_HOURS": 1,
    "TICK_SECONDS": 1,
    "LEASE_SECONDS": 1,
}
for _name, _least in _LEAST.items():
    if globals()[_name] < _least:
        raise ImproperlyConfigured(f"{_name} is {globals()[_name]}, and must be {_least} at least.")
if DISCOVERY_DUE_SHARE + DISCOVERY_ASKED_SHARE > 1:
    raise ImproperlyConfigured("DISCOVERY_DUE_SHARE and DISCOVERY_ASKED_SHARE are shares of one budget, and exceed it.")
