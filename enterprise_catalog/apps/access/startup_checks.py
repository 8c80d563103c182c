"""
Refuse to start with settings that would let strangers in (AUTH-4, SEC-3).

The token library verifies nothing if its key set is empty, and placeholders of secrets are public. So web, worker and
every command stop here, with every settings module, and name the variable. No value is ever printed.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.apps.access.tokens import UnusableKeySet, signing_keys

log = structlog.get_logger(__name__)

_PLACEHOLDER = re.compile(
    r"(?<![a-z])((set|change|replace|fill|insert)[-_ ]?(me|this|it|in|with)|please[-_ ]?change)(?![a-z])|"
    r"place[-_ ]?holder|^(django-insecure|insecure|your[-_ ]|<.*>$)|^(secret|secret[-_ ]?key|none|null|todo|fixme)$",
    re.IGNORECASE,
)
# Random secrets have none of these: a long word anywhere (devstack's secrets end in one), a short word as the whole
# value, nothing but punctuation.
_GUESSABLE = re.compile(
    r"(?<![a-z])(secret|password|passwd|example|sample|insecure|placeholder|x{5,})(?![a-z])|"
    r"^[^a-z0-9]*(x{2,}|todo|fixme|tbd|foo|bar|foobar|test|testing|dummy|admin|default|guest|root|edx|openedx|qwerty|abc)?"
    r"[^a-z]{0,4}$|^123456\d*$",
    re.IGNORECASE,
)
# As browsers write it.
_ORIGIN = re.compile(r"http://[a-z0-9.\[\]:-]+(?<!:80)|https://[a-z0-9.\[\]:-]+(?<!:443)")
SECRET_KEY_LEAST_CHARACTERS = 50
SECRET_KEY_LEAST_DISTINCT = 5
METRICS_TOKEN_LEAST_CHARACTERS = 32
SIGNING_KEY_LEAST_BITS = 2048
# SHA-256 of the moduli of the key pairs in edx-platform's settings for development and tests, whose private keys are
# public.
_PUBLISHED_KEYS = frozenset(
    {
        "15189e58a0b089c21bfa740fec461da33437e84542b97e705c0045b813b8274b",
        "ca0f698d081bf37b072977b49872bf81f4c5559747bd09abf6054f381001f3af",
    }
)


def refuse_unsafe_settings() -> None:
    """Raise ImproperlyConfigured, naming the variable, unless secrets, hosts, issuer, audience and keys are real."""
    _require_real_secrets()
    require_real("JWT_ISSUER", settings.JWT_AUTH["JWT_ISSUER"])
    require_real("JWT_AUDIENCE", settings.JWT_AUTH["JWT_AUDIENCE"])
    jwk_set = settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"]
    if not jwk_set:
        raise ImproperlyConfigured("JWT_PUBLIC_SIGNING_JWK_SET is empty: no token could be verified.")
    try:
        keys = signing_keys(jwk_set)
    except UnusableKeySet as error:
        raise ImproperlyConfigured(f"JWT_PUBLIC_SIGNING_JWK_SET cannot be used: {error}.") from error
    for key in keys:
        _require_strong_key(key)
    _require_origins()
    if settings.SERVES_LOOPBACK_ONLY:
        _require_loopback_hosts()
    else:
        _require_named_hosts()
        _require_shared_storage()


def warn_of_insecure_cookies() -> None:
    """Log a warning if cookies go over plain http (DEP-1)."""
    if settings.INSECURE_HTTP and not settings.SERVES_LOOPBACK_ONLY:
        log.warning(
            "insecure_http",
            detail="INSECURE_HTTP is set: cookies go over plain http, and whoever sees them can use them.",
        )


def require_real(name: str, value: object) -> str:
    """Return the value. Raises ImproperlyConfigured if it is empty or a placeholder."""
    if not isinstance(value, str) or not value.strip():
        raise ImproperlyConfigured(f"{name} is empty.")
    if _PLACEHOLDER.search(value.strip()):
        raise ImproperlyConfigured(f"{name} is a placeholder; set the real value.")
    return value


def require_secret(name: str, value: object) -> str:
    """Return the value. Raises ImproperlyConfigured if it is empty, a placeholder or has a guessable word."""
    secret = require_real(name, value)
    if _GUESSABLE.search(secret.strip()):
        raise ImproperlyConfigured(f"{name} is a placeholder, or can be guessed; make one at random.")
    return secret


def _require_real_secrets() -> None:
    key = require_secret("SECRET_KEY", settings.SECRET_KEY)
    if len(key) < SECRET_KEY_LEAST_CHARACTERS or len(set(key)) < SECRET_KEY_LEAST_DISTINCT:
        raise ImproperlyConfigured(
            f"SECRET_KEY must have {SECRET_KEY_LEAST_CHARACTERS} characters at least, "
            f"{SECRET_KEY_LEAST_DISTINCT} of them different."
        )
    if settings.METRICS_TOKEN:
        token = require_secret("METRICS_TOKEN", settings.METRICS_TOKEN)
        if len(token) < METRICS_TOKEN_LEAST_CHARACTERS:
            raise ImproperlyConfigured(f"METRICS_TOKEN must have {METRICS_TOKEN_LEAST_CHARACTERS} characters at least.")
    # Without credentials for discovery and the LMS the service still serves reads; an example as a secret is a mistake.
    if settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET:
        require_secret("BACKEND_SERVICE_EDX_OAUTH2_SECRET", settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET)
    if settings.SOCIAL_AUTH_EDX_OAUTH2_KEY:
        for name in ("KEY", "URL_ROOT", "PUBLIC_URL_ROOT"):
            require_real(f"SOCIAL_AUTH_EDX_OAUTH2_{name}", getattr(settings, f"SOCIAL_AUTH_EDX_OAUTH2_{name}"))
        require_secret("SOCIAL_AUTH_EDX_OAUTH2_SECRET", settings.SOCIAL_AUTH_EDX_OAUTH2_SECRET)
    for name, user, password in _passwords():
        require_secret(f"The password in {name}", password)
        if password == user:
            raise ImproperlyConfigured(f"The password in {name} is its user's name.")


def _passwords() -> Iterator[tuple[str, str, str]]:
    """Yield variable, user and password of each database, broker and cache that has a password."""
    variables = {"default": "DATABASE_URL", "replica": "DATABASE_REPLICA_URL"}
    for alias, database in settings.DATABASES.items():
        if password := database.get("PASSWORD"):
            yield variables.get(alias, f"DATABASES ({alias})"), database.get("USER") or "", str(password)
    for address in _addresses(settings.CELERY_BROKER_URL):
        yield from _password_in("CELERY_BROKER_URL", address)
    for cache in settings.CACHES.values():
        for address in _addresses(cache.get("LOCATION")):
            yield from _password_in("CACHE_URL", address)
        if password := (cache.get("OPTIONS") or {}).get("PASSWORD"):
            yield "CACHE_URL", "", str(password)


def _addresses(value: Any) -> list[str]:
    """Split addresses as kombu does: a list, or text with semicolons."""
    several = value if isinstance(value, list | tuple) else str(value or "").split(";")
    return [str(address) for address in several]


def _password_in(name: str, address: str) -> Iterator[tuple[str, str, str]]:
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is no URL.") from error
    if parts.password is not None:
        yield name, unquote(parts.username or ""), unquote(parts.password)


def _require_strong_key(key: RSAPublicKey) -> None:
    if key.key_size < SIGNING_KEY_LEAST_BITS:
        raise ImproperlyConfigured(
            f"JWT_PUBLIC_SIGNING_JWK_SET holds an RSA key of fewer than {SIGNING_KEY_LEAST_BITS} bits."
        )
    modulus = key.public_numbers().n
    digest = hashlib.sha256(modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")).hexdigest()
    if digest in _PUBLISHED_KEYS:
        raise ImproperlyConfigured(
            "JWT_PUBLIC_SIGNING_JWK_SET holds a development key of Open edX, whose private half is published."
        )


def _require_origins() -> None:
    """Refuse what no browser sends as its origin: every write from there would fail without a word in the log."""
    for origin in settings.CORS_ALLOWED_ORIGINS:
        if not _ORIGIN.fullmatch(origin):
            raise ImproperlyConfigured(
                "CORS_ALLOWED_ORIGINS must hold origins: scheme and host in lower case, no path, no `*`, and a port "
                "only if it is not the scheme's own, such as https://portal.example.org."
            )


def _require_named_hosts() -> None:
    names = [str(host).strip() for host in settings.ALLOWED_HOSTS]
    if not any(names):
        raise ImproperlyConfigured("ALLOWED_HOSTS is empty.")
    for name in names:
        # A leading dot allows all names below a domain, but not below a top-level domain.
        if "*" in name or (name.startswith(".") and "." not in name.strip(".")):
            raise ImproperlyConfigured("ALLOWED_HOSTS lets every name in; list those of this service.")


def _require_loopback_hosts() -> None:
    if not all(_is_loopback(str(host).strip()) for host in settings.ALLOWED_HOSTS):
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS names others than this machine, and these settings serve this machine only: "
            "use enterprise_catalog.settings.production."
        )


def _is_loopback(host: str) -> bool:
    # `testserver` is the host of Django's test client; no resolver knows it.
    if host in ("localhost", "testserver"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _require_shared_storage() -> None:
    """Refuse a broker or a database inside one process, since web, workers and commands are separate processes."""
    if str(settings.CELERY_BROKER_URL).startswith("memory:"):
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL names a broker inside one process; workers would never hear of work."
        )
    if settings.DATABASES["default"]["NAME"] in ("", ":memory:"):
        raise ImproperlyConfigured("DATABASE_URL names a database that is forgotten with the process.")
