"""
What workers do: how they call neighbours, how often content is refreshed, what is kept for how long. `base` takes all
of it in.
"""

from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.settings.environment import Environment

env = Environment()

# --- Calls to neighbours ---------------------------------------------------------------------------------------------

# A worker renews its lease before each attempt and each slice of a pause, so an attempt and a slice must stay below
# LEASE_SECONDS (`core.http_client.client`).
SERVICE_CONNECT_TIMEOUT_SECONDS = 3.05
# Discovery takes seconds for a page of 100; silence for this long is a failure.
SERVICE_READ_TIMEOUT_SECONDS = 20
# A body that drips must not outlive the lease.
SERVICE_ATTEMPT_SECONDS = 45
SERVICE_WAIT_SLICE_SECONDS = 10
# Four attempts outlast a restart of the neighbour; its outages are the schedule's business.
SERVICE_ATTEMPTS = 4
SERVICE_FIRST_PAUSE_SECONDS = 1
SERVICE_MAX_PAUSE_SECONDS = 20
# Longer `Retry-After` than this ends the call: a worker is not there to sleep.
SERVICE_MAX_WAIT_SECONDS = 60
# All attempts and pauses of one call together.
SERVICE_CALL_SECONDS = 180
# Tokens are renewed this long before they end.
SERVICE_TOKEN_MARGIN_SECONDS = 60

# Items per page of a search (discovery allows 100) and keys per call for full records (DISC-18).
DISCOVERY_PAGE_SIZE = env.int("DISCOVERY_PAGE_SIZE", default=100)
# What one answer may cost a worker (DISC-17): three times what a page of 500 real items is, and of larger ones if those
# are asked for. A real item is about 20 kB on a page. Bytes are counted as decoded, since a thousandth of them may have
# been sent. Values are counted before any is made, since `[{},{},...]` takes thirty times its length in memory: real
# answers have at most 70 commas and brackets in 1,000 bytes.
_ITEMS = max(DISCOVERY_PAGE_SIZE, 500)
SERVICE_MAX_BODY_BYTES = _ITEMS * 64 * 1024
SERVICE_MAX_BODY_VALUES = _ITEMS * 2_000
# A token and what comes with it is some 2 kB.
SERVICE_MAX_TOKEN_BYTES = 64 * 1024
# The largest page that discovery makes, whatever it is asked for.
DISCOVERY_LARGEST_PAGE = 5_000
# A page that names the next one in more characters has no cursor of discovery's, which are some 100 long.
DISCOVERY_NEXT_MAX_CHARACTERS = 8_000
# What one fetch may hold until it is stored, as compressed: four times what 20,000 courses with their full records
# take. Larger results fail and change nothing (`window_exceeded`).
DISCOVERY_MAX_RESULT_BYTES = env.int("DISCOVERY_MAX_RESULT_BYTES", default=512 * 1024 * 1024)
# ... and how many items it may have, of whatever size: a walk ends, also one that brings a new item with each page.
DISCOVERY_MAX_ITEMS = 200_000
DISCOVERY_KEYS_PER_CALL = 50
# Servers refuse request lines above 4 kB; fewer keys are asked for at once when they are long.
DISCOVERY_KEYS_MAX_CHARACTERS = 3_500
# Requests to discovery in any hour, of all workers together; 0 for no limit. Discovery grants an ordinary user 200 and
# staff any number (DISC-16).
DISCOVERY_REQUESTS_PER_HOUR = env.int("DISCOVERY_REQUESTS_PER_HOUR", default=200)
# Of them, what only queries that are due may use, so that they are fresh within their day whatever people ask for; the
# rest is people's part, of which nobody has more than the others find free (RUN-7).
DISCOVERY_DUE_SHARE = env.float("DISCOVERY_DUE_SHARE", default=0.5)
# Due queries may use people's part, too, but for this share of the whole: who asks when very many are due, as after an
# outage, waits minutes and not an hour.
DISCOVERY_ASKED_SHARE = env.float("DISCOVERY_ASKED_SHARE", default=0.1)
# Of people's part, what everybody may have while anything of it is free: enough for a search of a few pages, so that
# who asks once is not interrupted because others asked before.
DISCOVERY_FIRST_SHARE = 0.05
# So many askers of a waiting run are remembered, each of whom it may count for: far more than share a query and ask
# within the minutes that it waits, and they fit a row.
ASKERS_PER_RUN = 100
# Somebody who asks within so many minutes after a publish gets that one: what people see is as new as most edits, and a
# button that is pressed again and again costs nothing (RUN-8). 0: everybody gets a refresh.
REFRESH_JOIN_MINUTES = env.int("REFRESH_JOIN_MINUTES", default=10)
# A run that the budget interrupted waits this long at least before it goes on with what is left by then.
DISCOVERY_BUDGET_PAUSE_SECONDS = 300
# One that was interrupted so often had more than twice the time in which answers count (CACHED_ANSWERS_HOURS): it ends
# as failed, and its query comes after the others again.
REFRESH_MAX_ATTEMPTS = 100
# What it was answered before the interruption counts for this long: with REFRESH_INTERVAL_HOURS and
# REFRESH_SPREAD_MINUTES a day at most.
CACHED_ANSWERS_HOURS = 3
# A page of 100 items is a third of this; more would come near a modest max_allowed_packet, and is asked for again.
CACHED_ANSWER_MAX_BYTES = 1024 * 1024
# Discovery stops counting hits here, so that exactly this many means "at least" (DISC-8).
DISCOVERY_COUNT_CAP = env.int("DISCOVERY_COUNT_CAP", default=10_000)
# Search v1 cannot page past this many hits (DISC-9).
DISCOVERY_WINDOW = 15_000

# --- Refresh rhythm (P3) ---------------------------------------------------------------------------------------------

# 20 hours leave four for a retry before the promised 24 are over.
REFRESH_INTERVAL_HOURS = env.int("REFRESH_INTERVAL_HOURS", default=20)
FULL_RECORD_MAX_AGE_HOURS = env.int("FULL_RECORD_MAX_AGE_HOURS", default=20)
# A refresh that somebody asks for brings the full records of all members anew, whatever their age, of catalogs up to
# this size: 20 calls, a tenth of what discovery grants an ordinary user in an hour (REFR-4, DISC-16).
FULL_RECORDS_ON_REQUEST = env.int("FULL_RECORDS_ON_REQUEST", default=1000)
REVIEWS_INTERVAL_HOURS = env.int("REVIEWS_INTERVAL_HOURS", default=24)
# A sweep takes less than this; one that takes longer died, and another worker begins.
REVIEWS_JOB_MINUTES = 30
# The promise itself: older than this is stale.
FRESHNESS_HOURS = 24
# A search becomes due up to so many minutes later than that, each at a distance of its own: what was refreshed at once,
# as after an outage, is not due at once for ever.
REFRESH_SPREAD_MINUTES = 60
# The log names late queries so often, however many beats look, and so many of them; `manage.py freshness` names all.
FRESHNESS_REPORT_MINUTES = 10
LATE_QUERIES_LOGGED = 20
# How often beat looks for due queries and expired leases; with the lease it bounds recovery below two minutes (P5).
TICK_SECONDS = env.int("TICK_SECONDS", default=30)
# A worker that does not renew within this time counts as dead.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)
# A run that has lost this many workers is broken itself (it kills them) and ends as failed.
REFRESH_MAX_LOST_WORKERS = 5
# Discovery's throttle counts by the hour; whatever it asks for, a run looks again after that long ...
REFRESH_MAX_PAUSE_SECONDS = 3600
# ... and does so for this long at most: who asked a day ago is told that it failed (P10).
REFRESH_MAX_POSTPONED_HOURS = 24
# A run whose database failed under it waits this long: a server that restarts needs a moment.
DATABASE_FAILURE_PAUSE_SECONDS = 10

# After a failed refresh the schedule leaves a query alone for this long: discovery is probably still unwell ...
FAILED_REFRESH_PAUSE_MINUTES = 10
# ... and after a held one for this long: each look is a whole walk, and the budget is for the others, too.
HELD_REFRESH_PAUSE_MINUTES = 60
# A tick enqueues so many due queries at most, so that a full day's worth never starts at once.
DUE_QUERIES_PER_TICK = 50
# A waiting run is announced to workers again after this long, since a nudge may be lost (P5) ...
NOTIFY_AGAIN_SECONDS = 60
# ... and so many at most per tick, since workers need only know that there is work.
NOTIFICATIONS_PER_TICK = 200

# The guard (REFR-9): smaller catalogs may change freely, larger ones may not lose more than this share or grow by
# more than this factor ...
GUARD_MIN_ITEMS = env.int("GUARD_MIN_ITEMS", default=10)
GUARD_MAX_REMOVED = env.float("GUARD_MAX_REMOVED", default=0.5)
GUARD_MAX_GROWTH = env.float("GUARD_MAX_GROWTH", default=5)
# ... unless a later refresh still finds the same: real changes persist, glitches do not (REFR-10).
GUARD_REPEAT_HOURS = env.int("GUARD_REPEAT_HOURS", default=20)

# --- Previews of filters ---------------------------------------------------------------------------------------------

# A preview may take as long as a large search does, and holds a worker meanwhile. One at a time leaves all others to
# refreshes; of one person there is one at most that waits or runs.
FILTER_PREVIEWS_AT_ONCE = 1
# One that has lost so many workers is not tried again: somebody waits for it, and can press the button again.
FILTER_PREVIEW_ATTEMPTS = 2
# Each holds its filter, which may have a MiB, and the keys that were found: of a person so many are there at most.
FILTER_PREVIEWS_KEPT = 10
# Discovery says something else tomorrow, and nobody decides on what it said yesterday.
FILTER_PREVIEWS_HOURS = 24

# Copies of LMS customers: portal flags and names follow the LMS within the hour (CUST-2), the next round included ...
CUSTOMER_REFRESH_MINUTES = 55
# ... and a customer that could not be copied is asked for again in the next round: rounds begin every minute, but some
# begin a little sooner after the last one than others.
CUSTOMER_RETRY_SECONDS = 50
# A round takes no longer than this, so that an LMS that is down or hangs holds one worker for a part of each minute.
CUSTOMER_SYNC_SECONDS = 20

CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "refresh.tick", "schedule": TICK_SECONDS},
    "customers": {"task": "customers.sync_due_customers", "schedule": 60},
    # Looks whether a sweep is due (REVIEWS_INTERVAL_HOURS); looking is one statement.
    "reviews": {"task": "refresh.sweep_reviews", "schedule": 600},
    "freshness": {"task": "refresh.report_freshness", "schedule": 60},  # looks, too (FRESHNESS_REPORT_MINUTES)
    "pruning": {"task": "refresh.prune", "schedule": 600},  # and so does this (PRUNING_INTERVAL_MINUTES)
}

# Less than this would leave no work to be done, or never end it.
_LEAST = {
    "DISCOVERY_PAGE_SIZE": 1,
    "DISCOVERY_REQUESTS_PER_HOUR": 0,
    "DISCOVERY_DUE_SHARE": 0,
    "DISCOVERY_ASKED_SHARE": 0,
    "REFRESH_JOIN_MINUTES": 0,
    "DISCOVERY_COUNT_CAP": 1,
    # The largest document that is stored at all, and the room beside it.
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
