"""
Authenticate requests: JWT in the header, then JWT in cookies, then Django's session (AUTH-1).

A token is decoded once. Its claims stay on the request as `request.auth`, from which roles are read.
"""

from typing import Any

import jwt
import structlog
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpResponse
from django.utils.functional import cached_property
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from rest_framework.authentication import CSRFCheck, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from enterprise_catalog.apps.access.token_users import Deactivated, caller_of_token, username_of
from enterprise_catalog.apps.access.tokens import verified_payload
from enterprise_catalog.apps.core.callers import Caller, TokenCaller
from enterprise_catalog.apps.core.models import User

Authenticated = tuple[Caller, dict[str, Any] | None]


def bind_to_log(caller: Caller, claims: dict[str, Any] | None) -> Authenticated:
    """Return both, after binding the caller's id to the log lines of this request."""
    if isinstance(caller, TokenCaller):
        structlog.contextvars.bind_contextvars(user_id=None, namesake_id=caller.namesake_id)
    else:
        structlog.contextvars.bind_contextvars(user_id=caller.pk)
    return caller, claims


class ApiCsrfCheck(CSRFCheck):
    """Also trust the origins of frontends, which may use the API but not the forms of the admin (AUTH-10)."""

    @cached_property
    def allowed_origins_exact(self) -> set[str]:
        return {*settings.CSRF_TRUSTED_ORIGINS, *settings.CORS_ALLOWED_ORIGINS}


def _no_view(*_: Any) -> HttpResponse:
    """Stand in for the view that a middleware needs, and that this check never calls."""
    return HttpResponse()


def enforce_csrf(request: Request) -> None:
    """Raise PermissionDenied unless the request reads, or comes with a CSRF token from an origin that is trusted."""
    check = ApiCsrfCheck(_no_view)
    check.process_request(request)
    if reason := check.process_view(request, _no_view, (), {}):
        raise PermissionDenied(f"CSRF Failed: {reason}")


class JwtHeaderAuthentication(JwtAuthentication):
    """Read `Authorization: JWT <token>`. An invalid token is refused; other schemes are ignored (AUTH-2)."""

    scheme = "jwt"

    def authenticate(self, request: Request) -> Authenticated | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != self.scheme:
            return None
        try:
            claims = verified_payload(token.strip())
        except jwt.ExpiredSignatureError:
            raise AuthenticationFailed("Token has expired.") from None
        except jwt.DecodeError:
            raise AuthenticationFailed("Error decoding token.") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise AuthenticationFailed("Invalid token.") from None
        return bind_to_log(caller_of_token(claims), claims)


class BearerJwtAuthentication(JwtHeaderAuthentication):
    """Read `Authorization: Bearer <token>`, which a setting allows on the legacy API (AUTH-2)."""

    scheme = "bearer"


class JwtCookieAuthentication(JwtHeaderAuthentication):
    """
    Read the token from the two cookies of Open edX frontends.

    A token that is invalid, or of another user than the session's, counts as absent (AUTH-8). With a session of the
    same user, the token's roles are added to what the session's user has. That is also safe for users with a password:
    whoever sends both owns both.

    Browsers send cookies by themselves, so writes require a CSRF token, as with a session.
    """

    def authenticate(self, request: Request) -> Authenticated | None:
        claims = self.cookie_claims(request)
        if claims is None:
            return None
        session_user = self.session_user(request)
        if session_user and session_user.username != claims["preferred_username"]:
            return None
        authenticated = bind_to_log(session_user or caller_of_token(claims), claims)
        # Checked last, so that deactivated users learn that they are, with or without a CSRF token (AUTH-6).
        enforce_csrf(request)
        return authenticated

    def cookie_claims(self, request: Request) -> dict[str, Any] | None:
        names = settings.JWT_AUTH["JWT_AUTH_COOKIE_HEADER_PAYLOAD"], settings.JWT_AUTH["JWT_AUTH_COOKIE_SIGNATURE"]
        parts = [request.COOKIES.get(name, "") for name in names]
        if not all(parts):
            return None
        try:
            claims = verified_payload(".".join(parts))
            username_of(claims)
        except (jwt.PyJWTError, ValueError, RecursionError, AuthenticationFailed):
            return None
        return claims

    def session_user(self, request: Request) -> User | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request._request.user
        return user if user.is_authenticated else None


class ActiveSessionAuthentication(SessionAuthentication):
    """Use Django's session, and raise Deactivated if its user was deactivated (AUTH-6)."""

    def authenticate(self, request: Request) -> Authenticated | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request._request.user
        if not user.is_authenticated:
            if SESSION_KEY in request._request.session:
                raise Deactivated
            return None
        enforce_csrf(request)
        return bind_to_log(user, None)
