"""
Limits of what callers may send and of what is answered, stored and cached. `base` imports all of them.

They are the same for all deployments.
"""

# Proxies accept some kB of headers in all, and several headers may repeat what a caller sent (COM-16).
HEADER_MAX_CHARACTERS = 1000
# An error message may repeat what a caller sent, too, and nobody reads more.
ERROR_TEXT_MAX_CHARACTERS = 1000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Django counts query parameters too. Its default of 1,000 would refuse the longest list together with any other.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
# GET: what fits a request line, and what is fast enough for a page.
CONTENT_KEYS_LIMIT_GET = 100
CONTENT_KEYS_LIMIT_POST = 1000
CONTAINS_IDS_LIMIT = 1000
# Exporters send all keys that they have of a catalog.
DIFF_KEYS_LIMIT_POST = 50_000
# Bulk requests of other services, answered by a few statements each.
DISTINCT_CATALOGS_LIMIT = 10_000
FILTER_KEYS_LIMIT = 10_000
# A filter is sent with every page of every refresh, and read by people.
CONTENT_FILTER_MAX_BYTES = 1024 * 1024
CONTENT_FILTER_MAX_LEVELS = 10
# Filter warnings name so many keys at most, and so many characters of each (QRY-8).
FILTER_WARNINGS_SHOWN = 10
FILTER_WARNING_KEY_CHARACTERS = 50
# Open edX has ten course modes, the longest of 27 characters.
COURSE_MODES_LIMIT = 20
COURSE_MODE_MAX_LENGTH = 32
# Bulk actions of the admin run in one transaction, which others may wait for. Attaching a catalog to another query
# takes some twenty statements ...
BULK_LIMIT = 200
# ... and a row for each item that joins or leaves the catalog.
BULK_CHANGES_LIMIT = 100_000
PAGE_SIZE_DEFAULT = 10
PAGE_SIZE_MAX = 100
# Texts in parameters and headers that are not keys. No page number has so many digits ...
PAGE_MAX_CHARACTERS = 20
# ... a cursor of the change feed has 47 characters at most, and a datetime fewer ...
SINCE_MAX_CHARACTERS = 64
# ... the names of all columns by which the legacy list can be ordered have fewer ...
ORDERING_MAX_CHARACTERS = 255
# ... and an ETag has 36: two hundred of them are more than a client caches of one URL.
IF_NONE_MATCH_MAX_CHARACTERS = 8000
# Each process caches the page checkpoints of so many large catalogs: 20 kB for one of 20,000 items.
PAGE_CHECKPOINTS_CACHED = 500
# Each process caches the grants of so many tokens: half a kB per role, and whoever manages many customers has hundreds.
TOKEN_ROLES_KEPT = 200
# Page sizes of the legacy API: content (LEG-9) and queries (LEG-18).
LEGACY_PAGE_SIZE_DEFAULT = 20
LEGACY_PAGE_SIZE_MAX = 1000
LEGACY_QUERIES_PAGE_SIZE = 100
# The change feed (CHG-3): changes are small, and a client that has not read for long has many to read ...
CHANGES_PAGE_SIZE_DEFAULT = 100
CHANGES_PAGE_SIZE_MAX = 1000
# ... of this time. After a longer one it reads the whole catalog (CHG-4).
CHANGES_RETENTION_DAYS = 90
# The history of a catalog or query keeps its newest rows, and of older ones the last per person and day. A row of a
# query may have 1 MiB, its filter.
HISTORY_ROWS_KEPT = 50
# The history of a deleted row is kept for this long.
HISTORY_OF_DELETED_DAYS = 365
# Runs are kept this long (RUN-5). Pruning deletes so many rows per transaction (a tenth of a second) and so many
# transactions per table: up to a hundred thousand rows per hour, without keeping a worker from refreshes for long.
RUNS_RETENTION_DAYS = 90
PRUNING_INTERVAL_MINUTES = 60
PRUNING_ROWS = 1000
PRUNING_CHUNKS = 100

# The OpenAPI document is the same for everybody and changes only with a release. Generating it takes half a second.
SCHEMA_MAX_AGE_SECONDS = 300
