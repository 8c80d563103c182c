"""
Settings of a deployment, from environment variables or from the YAML file that ENTERPRISE_CATALOG_CFG names.

The environment wins over the file. A proxy in front ends TLS: the forwarded scheme is believed, and nothing redirects.
A missing variable stops the start with its name. Unsafe values stop it in `access.startup_checks`, under every settings
module.
"""

import json
import os
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ImproperlyConfigured

_REQUIRED = (
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "DISCOVERY_SERVICE_URL",
    "LMS_ROOT_URL",
    "OAUTH2_PROVIDER_URL",
    "BACKEND_SERVICE_EDX_OAUTH2_KEY",
    "BACKEND_SERVICE_EDX_OAUTH2_SECRET",
)
# Mappings that Open edX operators write into the file. Everything else there is a variable.
_MAPPINGS = ("DATABASES", "CACHES", "JWT_AUTH")


def read_configuration_file() -> dict[str, Any]:
    name = os.environ.get("ENTERPRISE_CATALOG_CFG")
    if not name:
        return {}
    try:
        configuration = yaml.safe_load(Path(name).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ImproperlyConfigured(f"ENTERPRISE_CATALOG_CFG cannot be read: {type(error).__name__}.") from error
    if not isinstance(configuration, dict):
        raise ImproperlyConfigured("ENTERPRISE_CATALOG_CFG must hold a YAML mapping.")
    return configuration


def as_variable(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def token_variables(jwt_auth: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of the file's JWT_AUTH, which has one of two forms for issuer and audience."""
    issuer = (jwt_auth.get("JWT_ISSUERS") or [{}])[0]
    return {
        "JWT_ISSUER": jwt_auth.get("JWT_ISSUER") or issuer.get("ISSUER"),
        "JWT_AUDIENCE": jwt_auth.get("JWT_AUDIENCE") or issuer.get("AUDIENCE"),
        "JWT_PUBLIC_SIGNING_JWK_SET": jwt_auth.get("JWT_PUBLIC_SIGNING_JWK_SET"),
    }


def fill_environment(configuration: dict[str, Any]) -> None:
    """Set variables that are not set from the file, so that `base` reads one source only."""
    variables = token_variables(configuration.get("JWT_AUTH") or {}) | configuration
    for name, value in variables.items():
        if value is not None and name not in _MAPPINGS and not os.environ.get(name):
            os.environ[name] = as_variable(value)


_configuration = read_configuration_file()
fill_environment(_configuration)
for _name in _REQUIRED:
    if not os.environ.get(_name) and not (_name == "DATABASE_URL" and _configuration.get("DATABASES")):
        raise ImproperlyConfigured(f"{_name} is not set.")

from enterprise_catalog.settings.base import *

if "DATABASES" in _configuration and "DATABASE_URL" not in os.environ:
    DATABASES = with_replica(_configuration["DATABASES"])
    DATABASE_ROUTERS = routers(DATABASES)
if "CACHES" in _configuration and "CACHE_URL" not in os.environ:
    CACHES = _configuration["CACHES"]

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = False
# Only if the proxy in front sets the header itself: a caller's host would end up in links (COM-10).
USE_X_FORWARDED_HOST = env.bool("USE_X_FORWARDED_HOST", default=False)
SESSION_COOKIE_SECURE = not INSECURE_HTTP
CSRF_COOKIE_SECURE = not INSECURE_HTTP
# Frontends of other sites send it with their writes, too, which browsers allow over https only (AUTH-10). The session's
# cookie stays `Lax`.
CSRF_COOKIE_SAMESITE = "Lax" if INSECURE_HTTP else "None"
# Cookies are sent over https only, so the redirect back from the LMS must use it. Without TLS it has the scheme of the
# request.
SOCIAL_AUTH_REDIRECT_IS_HTTPS = not INSECURE_HTTP
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # File names contain a hash of the content, so that browsers may cache them for ever.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
