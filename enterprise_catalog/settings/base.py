"""
What every deployment shares: apps, middleware, REST, tokens. What workers do, how often and within which limits, is in
`work`; how much callers may send and get in `limits`; passwords and what browsers are told in `security`.

Values come from the environment in these and nowhere else; `local`, `test` and `production` only choose defaults
and strictness.
"""

from pathlib import Path

import environ
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.apps.core.observability.logging import logging_config
from enterprise_catalog.settings.environment import Environment
from enterprise_catalog.settings.limits import *
from enterprise_catalog.settings.security import *
from enterprise_catalog.settings.work import *

env = Environment()

PROJECT_ROOT = Path(__file__).resolve().parents[2]

SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
DEBUG = False
# Settings that are for this machine only (`local`, `test`) say so. They answer to no other host and no other machine;
# all others must name their hosts, and storage that processes share (`access.startup_checks`).
SERVES_LOOPBACK_ONLY = False
# How many proxies stand in front, each of which appends to X-Forwarded-For whom it talks to; what callers wrote there
# themselves is never believed. 0: none, the peer is the caller. Empty: not said; then a request with that header has no
# address to count sign-ins by, since its peer may be a proxy for everybody (`core.middleware.client_address`).
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=None)
if TRUSTED_PROXIES is not None and TRUSTED_PROXIES < 0:
    raise ImproperlyConfigured(f"TRUSTED_PROXIES is {TRUSTED_PROXIES}, and must be 0 at least.")

INSTALLED_APPS = [
    # Before Django's admin, some of whose templates it replaces.
    "enterprise_catalog.apps.console",
    "enterprise_catalog.apps.console.apps.ConsoleAdminConfig",
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
    "axes",
    "enterprise_catalog.apps.core",
    "enterprise_catalog.apps.customers",
    "enterprise_catalog.apps.catalog",
    "enterprise_catalog.apps.refresh",
    "enterprise_catalog.apps.access",
    "enterprise_catalog.apps.api",
]

MIDDLEWARE = [
    "enterprise_catalog.apps.core.middleware.request_log.RequestIdMiddleware",
    "enterprise_catalog.apps.core.middleware.content_security_policy.ContentPolicyMiddleware",
    "enterprise_catalog.apps.core.middleware.response_headers.HeadersMiddleware",
    "enterprise_catalog.apps.core.middleware.head_requests.EmptyBodyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "enterprise_catalog.apps.core.middleware.loopback_only.LoopbackOnlyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "enterprise_catalog.apps.core.middleware.gzip.GZipMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # These four one after the other: what does not concern a browser goes past them in one step.
    "enterprise_catalog.apps.core.middleware.token_bypass.SessionMiddleware",
    "enterprise_catalog.apps.core.middleware.token_bypass.AuthenticationMiddleware",
    "enterprise_catalog.apps.core.middleware.token_bypass.MessageMiddleware",
    "enterprise_catalog.apps.core.middleware.token_bypass.HistoryMiddleware",
]

# Every path answers with and without its slash, directly (COM-1), so Django must never redirect.
APPEND_SLASH = False
# Links never begin with a prefix, whatever a server or a header says of one (COM-16, `core.middleware.script_name`).
FORCE_SCRIPT_NAME = ""

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
# A server that keeps connections open and says nothing more would hold every thread of every process: a statement that
# is silent for this long has failed. Longer than InnoDB waits for a lock (50 s), which is no failure of the server.
DATABASE_READ_TIMEOUT_SECONDS = env.int("DATABASE_READ_TIMEOUT_SECONDS", default=60)


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
        options.setdefault("read_timeout", DATABASE_READ_TIMEOUT_SECONDS)
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


# A replica serves index probes and batches of a stream, milliseconds each. One that is silent for this long hangs, and
# the request that waits has yet to be answered by the primary.
REPLICA_READ_TIMEOUT_SECONDS = 5
# A replica that failed is left alone for this long: of requests that would wait for one that hangs there is one in each
# such time and process, and one that is back is soon used.
REPLICA_PAUSE_SECONDS = 10
# What is read there: content, and the catalogs and customers it is shown for. Who calls and may do what is always the
# primary's word, so that a right that is taken away is gone at once.
REPLICA_APPS = ["catalog", "customers"]


def with_replica(databases: dict[str, dict]) -> dict[str, dict]:
    """All databases fit for use: those given, and the replica that DATABASE_REPLICA_URL names."""
    if replica_url := env.str("DATABASE_REPLICA_URL", default=""):
        databases = databases | {"replica": environ.Env.db_url_config(replica_url)}
    if replica := databases.get("replica"):
        if replica["ENGINE"] != databases["default"]["ENGINE"] or not replica["ENGINE"].endswith("mysql"):
            raise ImproperlyConfigured(
                "DATABASE_REPLICA_URL and DATABASE_URL must both name a MySQL or MariaDB server."
            )
        replica.setdefault("OPTIONS", {}).setdefault("read_timeout", REPLICA_READ_TIMEOUT_SECONDS)
        # Tests have one database, and both names for it.
        replica.setdefault("TEST", {}).setdefault("MIRROR", "default")
    return {alias: with_engine_options(config) for alias, config in databases.items()}


def routers(databases: dict[str, dict]) -> list[str]:
    return ["enterprise_catalog.apps.core.db.replica.ReplicaRouter"] if "replica" in databases else []


DATABASES = with_replica({"default": environ.Env.db_url_config(env.str("DATABASE_URL", default="sqlite:///:memory:"))})
DATABASE_ROUTERS = routers(DATABASES)
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
# There may be hundreds of messages that say that there is work, and each takes as long as a refresh does. What beat
# asks for, which finds dead workers' runs among other things (P5), does not wait behind them: Redis hands out 0 before
# 6, and all versions take both. Brokers that know no priorities have one line.
CELERY_TASK_ROUTES = {name: {"priority": 6} for name in ("refresh.run", "refresh.preview")}
# A write waits this long at most for the broker after its commit (P6); a lost nudge is found again by the tick.
NOTIFY_TIMEOUT_SECONDS = 0.2

# --- Figures ---------------------------------------------------------------------------------------------------------

# What opens /metrics on the web port. Whoever reads it learns of no tenant, but how much there is and how well it goes.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# A port that serves figures and nothing else, of a web server and of a worker each its own; 0 for none.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# The address at which that port listens. These two are read by gunicorn.conf.py, too, and so from the environment only.
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")

# --- Neighbours ------------------------------------------------------------------------------------------------------

DISCOVERY_SERVICE_URL = env.str("DISCOVERY_SERVICE_URL", default="").rstrip("/")
LMS_ROOT_URL = env.str("LMS_ROOT_URL", default="").rstrip("/")
OAUTH2_PROVIDER_URL = env.str("OAUTH2_PROVIDER_URL", default="").rstrip("/")
BACKEND_SERVICE_EDX_OAUTH2_KEY = env.str("BACKEND_SERVICE_EDX_OAUTH2_KEY", default="")
BACKEND_SERVICE_EDX_OAUTH2_SECRET = env.str("BACKEND_SERVICE_EDX_OAUTH2_SECRET", default="")
ENTERPRISE_LEARNER_PORTAL_BASE_URL = env.str("ENTERPRISE_LEARNER_PORTAL_BASE_URL", default="").rstrip("/")
ECOMMERCE_BASE_URL = env.str("ECOMMERCE_BASE_URL", default="").rstrip("/")

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
        "JWT_PAYLOAD_GET_USERNAME_HANDLER": "enterprise_catalog.apps.access.accounts.username_of",
    }


JWT_AUTH = jwt_auth(issuer=JWT_ISSUER, audience=JWT_AUDIENCE, jwk_set=JWT_PUBLIC_SIGNING_JWK_SET)

EDX_DRF_EXTENSIONS = {
    # Only the address follows the token. Staff and superuser are decisions of this service (AUTH-5).
    "JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {"email": "email"},
}

# People sign in to the admin through the LMS as soon as there is a client for that. The names are edx-auth-backends'.
SOCIAL_AUTH_EDX_OAUTH2_KEY = env.str("SOCIAL_AUTH_EDX_OAUTH2_KEY", default="")
SOCIAL_AUTH_EDX_OAUTH2_SECRET = env.str("SOCIAL_AUTH_EDX_OAUTH2_SECRET", default="")
SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT = env.str("SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT", default="").rstrip("/") or LMS_ROOT_URL
SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = (
    env.str("SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT", default="").rstrip("/") or LMS_ROOT_URL
)
SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL = env.str("SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL", default="")
# A person waits, and so does one of a web process's few threads, which others want to read with (P6).
SOCIAL_AUTH_EDX_OAUTH2_REQUESTS_TIMEOUT = 5
# How long somebody may take at the LMS, in seconds.
SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME = 1800
# The library would report to an agent of New Relic, and warn that there is none.
OPENEDX_TELEMETRY: list[str] = []

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
        "enterprise_catalog.apps.core.rest.renderers.JSONRenderer",
        "enterprise_catalog.apps.core.rest.renderers.XMLRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "enterprise_catalog.apps.core.rest.negotiation.ContentNegotiation",
    "DEFAULT_PARSER_CLASSES": ["enterprise_catalog.apps.core.rest.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "enterprise_catalog.apps.api.openapi.schema.ApiSchema",
    "EXCEPTION_HANDLER": "enterprise_catalog.apps.core.rest.exceptions.exception_handler",
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
        "enterprise_catalog.apps.api.openapi.schema.add_shared_parts",
        "enterprise_catalog.apps.api.openapi.service.describe_service",
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

# --- Logging ---------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = "enterprise_catalog.apps.core.observability.logging.configure"
LOGGING = logging_config(LOG_LEVEL)
