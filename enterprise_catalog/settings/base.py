"""
What every deployment shares: apps, middleware, REST, tokens, the refresh rhythm and its limits.

Values come from the environment here and nowhere else; `local`, `test` and `production` only choose defaults and
strictness.
"""

from pathlib import Path

import environ
from corsheaders.defaults import default_headers

from enterprise_catalog.apps.core.logging import logging_config

env = environ.Env()

PROJECT_ROOT = Path(__file__).resolve().parents[2]

SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
DEBUG = False

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "simple_history",
    "enterprise_catalog.apps.core",
    "enterprise_catalog.apps.customers",
    "enterprise_catalog.apps.catalog",
    "enterprise_catalog.apps.refresh",
    "enterprise_catalog.apps.access",
    "enterprise_catalog.apps.console",
    "enterprise_catalog.apps.api",
]

MIDDLEWARE = [
    "enterprise_catalog.apps.core.middleware.RequestIdMiddleware",
    "enterprise_catalog.apps.core.middleware.NoBodyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

# Every path answers with and without its slash, directly (COM-1), so Django must never redirect.
APPEND_SLASH = False

ROOT_URLCONF = "enterprise_catalog.urls"
WSGI_APPLICATION = "enterprise_catalog.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "core.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
# How the admin writes moments.
FORMAT_MODULE_PATH = ["enterprise_catalog.apps.console.formats"]

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(PROJECT_ROOT / "staticfiles"))

# --- Databases -------------------------------------------------------------------------------------------------------

DATABASE_CONNECT_TIMEOUT_SECONDS = 3


def with_engine_options(config: dict) -> dict:
    """Add the options each engine needs to keep the service's promises."""
    options = config.setdefault("OPTIONS", {})
    config["ATOMIC_REQUESTS"] = False
    if config["ENGINE"].endswith("mysql"):
        # READ COMMITTED: a worker must see what others committed between two statements of its run.
        options.setdefault("isolation_level", "read committed")
        options.setdefault("charset", "utf8mb4")
        # Strict mode refuses what does not fit instead of cutting it.
        options.setdefault(
            "init_command", "SET sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', time_zone='+00:00'"
        )
        # A server that is unreachable without saying so would hold every request, and the health check, for minutes.
        options.setdefault("connect_timeout", DATABASE_CONNECT_TIMEOUT_SECONDS)
        # Persistent connections save a handshake per request; the health check survives a database restart.
        config.setdefault("CONN_MAX_AGE", env.int("DATABASE_CONN_MAX_AGE", default=300))
        config.setdefault("CONN_HEALTH_CHECKS", True)
        config.setdefault("TEST", {}).update(CHARSET="utf8mb4", COLLATION="utf8mb4_unicode_ci")
    elif config["ENGINE"].endswith("sqlite3"):
        # Web and workers write to one file: take the write lock at BEGIN (no upgrade deadlock) and wait for it.
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", 20)
        options.setdefault("init_command", "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    return config


DATABASES = {
    "default": with_engine_options(environ.Env.db_url_config(env.str("DATABASE_URL", default="sqlite:///:memory:")))
}
# One statement, its values as they are sent: MySQL and MariaDB refuse what is longer than their `max_allowed_packet`,
# and 4 MB of it is all that is asked of them (DISC-17). The rest is for other columns and the statement's own words.
DATABASE_STATEMENT_BYTES = 4 * 1024 * 1024 - 64 * 1024

# --- Cache and broker ------------------------------------------------------------------------------------------------

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"].endswith("RedisCache"):
    # Only the throttle uses the cache, and no request waits longer than this for it (P6).
    CACHES["default"].setdefault("OPTIONS", {}).update(socket_connect_timeout=0.2, socket_timeout=0.2)

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="memory://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"
# A message is only a nudge: the work is a row. Taking one at a time keeps the others free for idle workers.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "enterprise_catalog"
CELERY_IMPORTS = ["enterprise_catalog.apps.refresh.pruning"]  # it has a task, and is no `tasks` module
# A write waits this long at most for the broker after its commit (P6); a lost nudge is found again by the tick.
NUDGE_TIMEOUT_SECONDS = 0.2

# --- Neighbours ------------------------------------------------------------------------------------------------------

DISCOVERY_SERVICE_URL = env.str("DISCOVERY_SERVICE_URL", default="").rstrip("/")
LMS_ROOT_URL = env.str("LMS_ROOT_URL", default="").rstrip("/")
OAUTH2_PROVIDER_URL = env.str("OAUTH2_PROVIDER_URL", default="").rstrip("/")
BACKEND_SERVICE_EDX_OAUTH2_KEY = env.str("BACKEND_SERVICE_EDX_OAUTH2_KEY", default="")
BACKEND_SERVICE_EDX_OAUTH2_SECRET = env.str("BACKEND_SERVICE_EDX_OAUTH2_SECRET", default="")
ENTERPRISE_LEARNER_PORTAL_BASE_URL = env.str("ENTERPRISE_LEARNER_PORTAL_BASE_URL", default="").rstrip("/")
ECOMMERCE_BASE_URL = env.str("ECOMMERCE_BASE_URL", default="").rstrip("/")

# Calls to neighbours (`core.http`). A worker renews its lease before each attempt and each slice of a pause, so an
# attempt and a slice must stay below LEASE_SECONDS.
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
# A page of 100 items is about 2 MB; far more is a mistake, and memory is bounded.
SERVICE_MAX_BODY_BYTES = 64 * 1024 * 1024
# Tokens are renewed this long before they end.
SERVICE_TOKEN_MARGIN_SECONDS = 60

# Items per page of a search (discovery allows 100) and keys per call for full records (DISC-18).
DISCOVERY_PAGE_SIZE = env.int("DISCOVERY_PAGE_SIZE", default=100)
DISCOVERY_KEYS_PER_CALL = 50
# Servers refuse request lines above 4 kB; fewer keys are asked for at once when they are long.
DISCOVERY_KEYS_MAX_CHARACTERS = 3_500
# Requests to discovery in any hour, of all workers together; 0 for no limit. Discovery grants an ordinary user 200 and
# staff any number (DISC-16).
DISCOVERY_REQUESTS_PER_HOUR = env.int("DISCOVERY_REQUESTS_PER_HOUR", default=200)
# A run that the budget interrupted waits this long at least before it goes on with what is left by then.
DISCOVERY_BUDGET_PAUSE_SECONDS = 300
# What it was answered before the interruption counts for this long: with REFRESH_INTERVAL_HOURS, less than a day.
KEPT_ANSWERS_HOURS = 4
# A page of 100 items is a third of this; more would come near a modest max_allowed_packet, and is asked for again.
KEPT_ANSWER_MAX_BYTES = 1024 * 1024
# Discovery stops counting hits here, so that exactly this many means "at least" (DISC-8).
DISCOVERY_COUNT_CAP = env.int("DISCOVERY_COUNT_CAP", default=10_000)
# Search v1 cannot page past this many hits (DISC-9).
DISCOVERY_WINDOW = 15_000

# --- Tokens ----------------------------------------------------------------------------------------------------------

JWT_ISSUER = env.str("JWT_ISSUER", default="")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="")
JWT_PUBLIC_SIGNING_JWK_SET = env.str("JWT_PUBLIC_SIGNING_JWK_SET", default="")


def jwt_auth(*, issuer: str, audience: str, jwk_set: str) -> dict:
    """
    The token library's settings. Asymmetric signatures only: SECRET_KEY is None so that it never falls back to
    Django's secret, and the start-up check of the access room refuses an empty key set, on which the library verifies
    nothing (AUTH-4).
    """
    return {
        "JWT_ISSUER": issuer,
        "JWT_AUDIENCE": audience,
        "JWT_ISSUERS": [{"ISSUER": issuer, "AUDIENCE": audience, "SECRET_KEY": None}],
        "JWT_PUBLIC_SIGNING_JWK_SET": jwk_set,
        "JWT_ALGORITHM": "RS512",
        "JWT_SECRET_KEY": None,
        "JWT_VERIFY_EXPIRATION": True,
        "JWT_VERIFY_AUDIENCE": True,
        "JWT_AUTH_HEADER_PREFIX": "JWT",
        "JWT_AUTH_COOKIE": "edx-jwt-cookie",
        "JWT_AUTH_COOKIE_HEADER_PAYLOAD": "edx-jwt-cookie-header-payload",
        "JWT_AUTH_COOKIE_SIGNATURE": "edx-jwt-cookie-signature",
        # The library's own handlers verify nothing on an empty key set (AUTH-4); this one is what its helpers use, too.
        "JWT_DECODE_HANDLER": "enterprise_catalog.apps.access.tokens.verified_payload",
        "JWT_PAYLOAD_GET_USERNAME_HANDLER": "enterprise_catalog.apps.access.authentication.username_of_payload",
    }


JWT_AUTH = jwt_auth(issuer=JWT_ISSUER, audience=JWT_AUDIENCE, jwk_set=JWT_PUBLIC_SIGNING_JWK_SET)

EDX_DRF_EXTENSIONS = {
    # Only the address follows the token. Staff and superuser are decisions of this service (AUTH-5).
    "JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {"email": "email"},
}

# Take tokens as `Bearer`, too, on the legacy surface (AUTH-2).
LEGACY_BEARER_TOKENS = env.bool("LEGACY_BEARER_TOKENS", default=False)

# System roles, which the LMS puts into tokens, to this service's feature roles (ROLE-1, ROLE-2).
SYSTEM_TO_FEATURE_ROLE_MAPPING = {
    "enterprise_catalog_admin": ["enterprise_catalog_admin"],
    "enterprise_openedx_operator": ["enterprise_catalog_admin"],
    "enterprise_admin": ["enterprise_catalog_admin", "enterprise_learner"],
    "enterprise_learner": ["enterprise_learner"],
    "enterprise_provisioning_admin": ["enterprise_catalog_provisioning_admin"],
}

# --- REST ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "enterprise_catalog.apps.access.authentication.JwtHeaderAuthentication",
        "enterprise_catalog.apps.access.authentication.JwtCookieAuthentication",
        "enterprise_catalog.apps.access.authentication.ActiveSessionAuthentication",
    ],
    # Anonymous callers stop here; what the others may do depends on the object (access room).
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "enterprise_catalog.apps.core.renderers.JSONRenderer",
        "enterprise_catalog.apps.core.renderers.XMLRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "enterprise_catalog.apps.core.negotiation.ContentNegotiation",
    "DEFAULT_PARSER_CLASSES": ["enterprise_catalog.apps.core.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "enterprise_catalog.apps.api.openapi.OperationDescription",
    "EXCEPTION_HANDLER": "enterprise_catalog.apps.core.exceptions.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# The throttle (ERR-6), off unless wanted: a person clicks less often than this ...
API_THROTTLE = env.bool("API_THROTTLE", default=False)
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=60)
# ... and these users are other services, which ask for many people.
API_SERVICE_USERNAMES = env.list("API_SERVICE_USERNAMES", default=[])
API_SERVICE_REQUESTS_PER_MINUTE = env.int("API_SERVICE_REQUESTS_PER_MINUTE", default=800)

SPECTACULAR_SETTINGS = {
    "TITLE": "Enterprise catalog",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "(/enterprise)?/api/v[0-9]",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "enterprise_catalog.apps.api.openapi.add_shared_parts",
        "enterprise_catalog.apps.api.documentation.describe_service",
    ],
    # They are for who reads the code; what is for callers is said in so many words.
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "SORT_OPERATION_PARAMETERS": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# COM-16
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
PAGE_SIZE_DEFAULT = 10
PAGE_SIZE_MAX = 100
# The legacy surface's own, of content (LEG-9) and of queries (LEG-18).
LEGACY_PAGE_SIZE_DEFAULT = 20
LEGACY_PAGE_SIZE_MAX = 1000
LEGACY_QUERIES_PAGE_SIZE = 100
# CHG-3: changes are small, and who was away for long has many to catch up with ...
CHANGES_PAGE_SIZE_DEFAULT = 100
CHANGES_PAGE_SIZE_MAX = 1000
# ... within this time; whoever was away for longer reads the whole catalog (CHG-4).
CHANGES_RETENTION_DAYS = 90
# Runs are kept this long (RUN-5). Old rows go so often, so many in a transaction (a tenth of a second), and in so many
# transactions for each table: a hundred thousand rows in the hour, and no worker is kept from refreshes for long.
RUNS_RETENTION_DAYS = 90
PRUNING_INTERVAL_MINUTES = 60
PRUNING_ROWS = 1000
PRUNING_CHUNKS = 100

CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = True
# Today's frontends send it with their cookies (AUTH-1), so a preflight that did not allow it would stop them.
CORS_ALLOW_HEADERS = [*default_headers, "use-jwt-cookie"]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "X-Request-ID",
    "X-Refresh-Run",
    "X-Catalog-Filter-Warning",
    "X-Catalog-Generation",
    "X-Catalog-Ignored-Params",
    "X-Catalog-Refreshed-At",
]

# --- Refresh rhythm (P3) ---------------------------------------------------------------------------------------------

# 20 hours leave four for a retry before the promised 24 are over.
REFRESH_INTERVAL_HOURS = env.int("REFRESH_INTERVAL_HOURS", default=20)
FULL_RECORD_MAX_AGE_HOURS = env.int("FULL_RECORD_MAX_AGE_HOURS", default=20)
# A refresh that somebody asks for brings the full records of all members anew, whatever their age, of catalogs up to
# this size: 20 calls, a tenth of what discovery grants an ordinary user in an hour (REFR-4, DISC-16).
FULL_RECORDS_ON_REQUEST = env.int("FULL_RECORDS_ON_REQUEST", default=1000)
REVIEWS_INTERVAL_HOURS = env.int("REVIEWS_INTERVAL_HOURS", default=24)
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

# After a failed or held refresh the schedule leaves a query alone for this long: discovery is probably still unwell.
FAILED_REFRESH_PAUSE_MINUTES = 10
# A tick enqueues so many due queries at most, so that a full day's worth never starts at once.
DUE_QUERIES_PER_TICK = 50
# A waiting run is announced to workers again after this long, since a nudge may be lost (P5) ...
NUDGE_AGAIN_SECONDS = 60
# ... and so many at most per tick, since workers need only know that there is work.
NUDGES_PER_TICK = 200

# The guard (REFR-9): smaller catalogs may change freely, larger ones may not lose more than this share or grow by
# more than this factor ...
GUARD_MIN_ITEMS = env.int("GUARD_MIN_ITEMS", default=10)
GUARD_MAX_REMOVED = env.float("GUARD_MAX_REMOVED", default=0.5)
GUARD_MAX_GROWTH = env.float("GUARD_MAX_GROWTH", default=5)
# ... unless a later refresh still finds the same: real changes persist, glitches do not (REFR-10).
GUARD_REPEAT_HOURS = env.int("GUARD_REPEAT_HOURS", default=20)

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

# --- Logging ---------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "enterprise_catalog.apps.core.logging.configure"
LOGGING = logging_config(LOG_LEVEL)
