"""
Refuse to start on a configuration that would let strangers in (AUTH-4).

The token library verifies nothing on an empty key set, and a placeholder left in a secret is known to everybody. So
web, worker and every command stop here, under every settings module, naming the variable. Never prints a value.
"""

import re

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.apps.access.tokens import UnusableKeySet, signing_keys

_PLACEHOLDER = re.compile(
    r"(?<![a-z])((set|change|replace|fill|insert)[-_ ]?(me|this|it|with)|please[-_ ]?change)(?![a-z])|"
    r"place[-_ ]?holder|^(django-insecure|insecure|your[-_ ]|<.*>$)|^(secret|secret[-_ ]?key|none|null|todo|fixme)$",
    re.IGNORECASE,
)


def refuse_unsafe_settings() -> None:
    """Raise ImproperlyConfigured, naming the variable, unless secrets, issuer, audience and keys are real."""
    require_real("SECRET_KEY", settings.SECRET_KEY)
    require_real("JWT_ISSUER", settings.JWT_AUTH["JWT_ISSUER"])
    require_real("JWT_AUDIENCE", settings.JWT_AUTH["JWT_AUDIENCE"])
    # A service without neighbours' credentials can read; one with somebody's example for a secret is a mistake.
    if settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET:
        require_real("BACKEND_SERVICE_EDX_OAUTH2_SECRET", settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET)
    if settings.SOCIAL_AUTH_EDX_OAUTH2_KEY:
        for name in ("KEY", "SECRET", "URL_ROOT", "PUBLIC_URL_ROOT"):
            require_real(f"SOCIAL_AUTH_EDX_OAUTH2_{name}", getattr(settings, f"SOCIAL_AUTH_EDX_OAUTH2_{name}"))
    jwk_set = settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"]
    if not jwk_set:
        raise ImproperlyConfigured("JWT_PUBLIC_SIGNING_JWK_SET is empty: no token could be verified.")
    try:
        signing_keys(jwk_set)
    except UnusableKeySet as error:
        raise ImproperlyConfigured(f"JWT_PUBLIC_SIGNING_JWK_SET cannot be used: {error}.") from error


def require_real(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ImproperlyConfigured(f"{name} is empty.")
    if _PLACEHOLDER.search(value.strip()):
        raise ImproperlyConfigured(f"{name} is a placeholder; set the real value.")
