"""
Settings that all deployments share: apps, middleware, databases, broker, tokens, REST and logging.

Settings of workers are in `work`, limits for callers in `limits`, passwords and security headers in `security`. Only
these modules read the environment; `local`, `test` and `production` choose defaults and strictness.
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
# True in settings for one machine (`local`, `test`), which refuse other hosts and other machines. All others must name
# their hosts, and storage that processes share (`access.startup_checks`).
SERVES_LOOPBACK_ONLY = False
# The number of proxies in front, each of which appends its peer to X-Forwarded-For. Entries that callers wrote are
# never believed. 0: the peer is the caller. Not set: a request with that header has no address to count failed sign-ins
# by, because its peer may be a proxy for everybody (`core.middleware.client_address`).
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
    # These four must follow each other, so that reads with a token skip them in one step.
    "enterprise_catalog.apps.core.middleware.browser_only.SessionMiddleware",
    "enterprise_catalog.apps.core.middleware.browser_only.AuthenticationMiddleware",
    "enterprise_catalog.apps.core.middleware.browser_only.MessageMiddleware",
    "enterprise_catalog.apps.core.middleware.browser_only.HistoryMiddleware",
]

# Every path matches with and without its last slash (COM-1), so Django must never redirect.
APPEND_SLASH = False
# Links never begin with a prefix that a server took from a header (COM-16, `core.middleware.script_name`).
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
# The formats of dates in the admin.
FORMAT_MODULE_PATH = ["enterprise_catalog.apps.console.formats"]

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(PROJECT_ROOT / "staticfiles"))

# --- Databases -------------------------------------------------------------------------------------------------------

DATABASE_CONNECT_TIMEOUT_SECONDS = 3
# A statement without an answer for this long has failed, because a server that hangs would block every thread of every
# process. It is longer than InnoDB waits for a lock (50 s), which is not a failure of the server.
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
        # An unreachable server would otherwise block every request, and the health check, for minutes.
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


# Statements on the replica take milliseconds. A replica without an answer for this long hangs, and the primary has yet
# to answer the request that waits.
REPLICA_READ_TIMEOUT_SECONDS = 5
# A replica that failed is not used for this long. So one request per process and pause waits for a replica that hangs,
# and one that works again is soon used.
REPLICA_PAUSE_SECONDS = 10
# The apps whose models are read from the replica: content, catalogs and customers. Users and permissions are always
# read from the primary, so that a permission that is taken away is gone at once.
REPLICA_APPS = ["catalog", "customers"]


def with_replica(databases: dict[str, dict]) -> dict[str, dict]:
    """Return the databases with the options of their engines, and with the replica of DATABASE_REPLICA_URL."""
    if replica_url := env.str("DATABASE_REPLICA_URL", default=""):
        databases = databases | {"replica": environ.Env.db_url_config(replica_url)}
    if replica := databases.get("replica"):
        if replica["ENGINE"] != databases["default"]["ENGINE"] or not replica["ENGINE"].endswith("mysql"):
            raise ImproperlyConfigured(
                "DATABASE_REPLICA_URL and DATABASE_URL must both name a MySQL or MariaDB server."
            )
        replica.setdefault("OPTIONS", {}).setdefault("read_timeout", REPLICA_READ_TIMEOUT_SECONDS)
        # Tests use one database under both aliases.
        replica.setdefault("TEST", {}).setdefault("MIRROR", "default")
    return {alias: with_engine_options(config) for alias, config in databases.items()}


def routers(databases: dict[str, dict]) -> list[str]:
    return ["enterprise_catalog.apps.core.db.replica.ReplicaRouter"] if "replica" in databases else []


DATABASES = with_replica({"default": environ.Env.db_url_config(env.str("DATABASE_URL", default="sqlite:///:memory:"))})
DATABASE_ROUTERS = routers(DATABASES)
# The escaped values of one statement. MySQL and MariaDB refuse statements longer than `max_allowed_packet`, of which
# 4 MB are required (DISC-17). The difference is for other columns and the text of the statement.
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
# A message is only a notification: the work is a row. Taking one at a time leaves the others to idle workers.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "enterprise_catalog"
# Hundreds of messages may wait, each of which takes as long as a refresh. The tasks of beat, which also find the runs
# of dead workers (P5), do not wait behind them: Redis delivers priority 0 before 6. Brokers without priorities have one
# queue.
CELERY_TASK_ROUTES = {name: {"priority": 6} for name in ("refresh.run", "refresh.preview")}
# A write waits this long at most for the broker after its commit (P6); the tick repeats a lost notification.
NOTIFY_TIMEOUT_SECONDS = 0.2

# --- Metrics ---------------------------------------------------------------------------------------------------------

# The token for /metrics on the web port. The metrics name no tenant; they show sizes, load and failures.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# A port that serves only metrics; a web server and a worker on one machine need a port each. 0 for none.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# The address at which that port listens. gunicorn.conf.py reads these two as well, so only the environment sets them.
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")

# --- Other services --------------------------------------------------------------------------------------------------

# The public addresses, of which links are made ...
DISCOVERY_SERVICE_URL = env.str("DISCOVERY_SERVICE_URL", default="").rstrip("/")
LMS_ROOT_URL = env.str("LMS_ROOT_URL", default="").rstrip("/")
# ... and those that are called, where names inside a cluster differ from those outside (LMS-1).
DISCOVERY_INTERNAL_ROOT_URL = env.str("DISCOVERY_INTERNAL_ROOT_URL", default="").rstrip("/") or DISCOVERY_SERVICE_URL
LMS_INTERNAL_ROOT_URL = env.str("LMS_INTERNAL_ROOT_URL", default="").rstrip("/") or LMS_ROOT_URL


def called_at(address: str) -> str:
    """Return the address at which something of the LMS is called: below the internal root instead of the public one."""
    below = address.removeprefix(LMS_ROOT_URL)
    is_of_lms = LMS_ROOT_URL and address.startswith(LMS_ROOT_URL) and below[:1] in ("", "/")
    return LMS_INTERNAL_ROOT_URL + below if is_of_lms else address


OAUTH2_PROVIDER_URL = called_at(env.str("OAUTH2_PROVIDER_URL", default="").rstrip("/"))
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
    Return the settings of the token library, for asymmetric signatures only (AUTH-4).

    SECRET_KEY is None, so that the library never uses Django's secret. `access.startup_checks` refuses an empty key
    set, with which the library would verify nothing.
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
        # The library's own handler verifies nothing with an empty key set (AUTH-4). Its helpers use this one too.
        "JWT_DECODE_HANDLER": "enterprise_catalog.apps.access.tokens.verified_payload",
        "JWT_PAYLOAD_GET_USERNAME_HANDLER": "enterprise_catalog.apps.access.token_users.username_of",
    }


JWT_AUTH = jwt_auth(issuer=JWT_ISSUER, audience=JWT_AUDIENCE, jwk_set=JWT_PUBLIC_SIGNING_JWK_SET)

EDX_DRF_EXTENSIONS = {
    # Only the e-mail address follows the token. Staff and superuser are set in this service (AUTH-5).
    "JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {"email": "email"},
}

# With these, people sign in to the admin through the LMS. The names are those of edx-auth-backends.
SOCIAL_AUTH_EDX_OAUTH2_KEY = env.str("SOCIAL_AUTH_EDX_OAUTH2_KEY", default="")
SOCIAL_AUTH_EDX_OAUTH2_SECRET = env.str("SOCIAL_AUTH_EDX_OAUTH2_SECRET", default="")
SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT = called_at(
    env.str("SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT", default="").rstrip("/") or LMS_ROOT_URL
)
SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = (
    env.str("SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT", default="").rstrip("/") or LMS_ROOT_URL
)
SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL = env.str("SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL", default="")
# Short, because one of a web process's few threads waits, too (P6).
SOCIAL_AUTH_EDX_OAUTH2_REQUESTS_TIMEOUT = 5
# Seconds that a person may take to sign in at the LMS.
SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME = 1800
# Empty, because the library would report to an agent of New Relic and warn that there is none.
OPENEDX_TELEMETRY: list[str] = []

# Accept tokens as `Bearer`, too, in the legacy API (AUTH-2).
LEGACY_BEARER_TOKENS = env.bool("LEGACY_BEARER_TOKENS", default=False)

# Feature roles of this service by the system roles that the LMS puts into tokens (ROLE-1, ROLE-2).
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
    # Only anonymous callers are refused here. What others may do depends on the object (`access`).
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

# The throttle (ERR-6), off by default. A person makes fewer requests than this ...
API_THROTTLE = env.bool("API_THROTTLE", default=False)
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=60)
# ... except for whoever reads a catalog page by page. Pages after the first, of this size at least, have a limit of
# their own: the pages of 200,000 items, which is the largest result that a refresh may have (DISCOVERY_MAX_ITEMS).
API_WALK_PAGE_SIZE = 50
API_WALK_PAGES_PER_MINUTE = env.int("API_WALK_PAGES_PER_MINUTE", default=4000)
# These users are other services, which make requests for many people.
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
    ],
    # Docstrings are for readers of the code. Descriptions for callers are written separately.
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "SORT_OPERATION_PARAMETERS": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# The origins of frontends, which call the API and write to it with the cookies of their visitors (AUTH-10).
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = True
# The API and the CSRF token. No other origin reads the admin's pages or writes by its forms.
CORS_URLS_REGEX = r"^/(api|enterprise/api|csrf/api)/"
# Existing frontends send this header with their cookies (AUTH-1), so preflights must allow it.
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
