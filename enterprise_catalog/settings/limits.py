"""
How much of everything there may be: of what is sent, answered, kept and remembered. The same for all deployments;
`base` takes all of it in.
"""

# COM-16. Proxies take headers of some kB altogether, and an answer may name what a caller sent in several ...
HEADER_MAX_CHARACTERS = 1000
# ... and a message of an error as much of it: nobody reads more.
ERROR_TEXT_MAX_CHARACTERS = 1000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# Django counts query parameters, too, and its 1,000 would refuse the longest allowed list beside any other parameter.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
# GET: what fits a request line, and what answers fast enough for a page.
CONTENT_KEYS_LIMIT_GET = 100
CONTENT_KEYS_LIMIT_POST = 1000
CONTAINS_IDS_LIMIT = 1000
# Exporters send all that they hold of a catalog.
DIFF_KEYS_LIMIT_POST = 50_000
# Bulk questions of other services, answered by a few statements each.
DISTINCT_CATALOGS_LIMIT = 10_000
FILTER_KEYS_LIMIT = 10_000
# A filter is sent with every page of every refresh, and read by people.
CONTENT_FILTER_MAX_BYTES = 1024 * 1024
CONTENT_FILTER_MAX_LEVELS = 10
# What looks odd in a filter is told of so many keys, and of each so many characters (QRY-8).
FILTER_WARNINGS_SHOWN = 10
FILTER_WARNING_KEY_CHARACTERS = 50
# Open edX knows ten modes, the longest of 27 characters.
COURSE_MODES_LIMIT = 20
COURSE_MODE_MAX_LENGTH = 32
# What the admin does with many rows is done in one transaction, for which others wait: a catalog that is attached to
# another query takes some twenty statements ...
BULK_LIMIT = 200
# ... and a row for each item that joins or leaves it.
BULK_CHANGES_LIMIT = 100_000
PAGE_SIZE_DEFAULT = 10
PAGE_SIZE_MAX = 100
# Texts in parameters and headers that are read as something else than a key. No page has a number of so many digits ...
PAGE_MAX_CHARACTERS = 20
# ... a cursor of changes has 47 characters at most, and a moment fewer ...
SINCE_MAX_CHARACTERS = 64
# ... all columns by which the legacy list is ordered are named in fewer ...
ORDERING_MAX_CHARACTERS = 255
# ... and a tag has 36: two hundred of them are more than anybody holds of one URL.
IF_NONE_MATCH_MAX_CHARACTERS = 8000
# Each process remembers where the pages of so many large catalogs begin: 20 kB for one of 20,000 items.
PAGE_CHECKPOINTS_CACHED = 500
# And what the roles of so many tokens grant: half a kB for each role, of which who manages many customers has hundreds.
TOKEN_ROLES_KEPT = 200
# The legacy surface's own, of content (LEG-9) and of queries (LEG-18).
LEGACY_PAGE_SIZE_DEFAULT = 20
LEGACY_PAGE_SIZE_MAX = 1000
LEGACY_QUERIES_PAGE_SIZE = 100
# CHG-3: changes are small, and who was away for long has many to catch up with ...
CHANGES_PAGE_SIZE_DEFAULT = 100
CHANGES_PAGE_SIZE_MAX = 1000
# ... within this time; whoever was away for longer reads the whole catalog (CHG-4).
CHANGES_RETENTION_DAYS = 90
# Of the history of a catalog or query so many rows are kept whatever their age; of older ones the last of each person
# and day. One row of a query may have a MiB, its filter.
HISTORY_ROWS_KEPT = 50
# What is gone has a history for this long.
HISTORY_OF_DELETED_DAYS = 365
# Runs are kept this long (RUN-5). Old rows go so often, so many in a transaction (a tenth of a second), and in so many
# transactions for each table: a hundred thousand rows in the hour, and no worker is kept from refreshes for long.
RUNS_RETENTION_DAYS = 90
PRUNING_INTERVAL_MINUTES = 60
PRUNING_ROWS = 1000
PRUNING_CHUNKS = 100

# The OpenAPI document is the same for everybody and changes with a release only. It takes half a second to make.
SCHEMA_MAX_AGE_SECONDS = 300
