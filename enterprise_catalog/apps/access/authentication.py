"""
Who is calling: JWT header, then JWT cookies, then Django session (AUTH-1).

A token is decoded once; its claims stay on the request as `request.auth`, so that roles need no second signature
check. Nothing here decides what the caller may do.
"""

from typing import Any

import jwt
import structlog
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from enterprise_catalog.apps.access.accounts import Deactivated, caller_of_token, username_of
from enterprise_catalog.apps.access.tokens import verified_payload
from enterprise_catalog.apps.core.callers import Caller, TokenCaller
from enterprise_catalog.apps.core.models import User

Authenticated = tuple[Caller, dict[str, Any] | None]


def known(caller: Caller, claims: dict[str, Any] | None) -> Authenticated:
    """The caller and the claims of the token, if there is one. From now on the log says who it is."""
    if isinstance(caller, TokenCaller):
        structlog.contextvars.bind_contextvars(user_id=None, namesake_id=caller.namesake_id)
    else:
        structlog.contextvars.bind_contextvars(user_id=caller.pk)
    return caller, claims


class JwtHeaderAuthentication(JwtAuthentication):
    """The header `Authorization: JWT <token>`. A bad token is final; other schemes are no credentials (AUTH-2)."""

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
        return known(caller_of_token(claims), claims)

    def authenticate_credentials(self, payload: dict[str, Any]) -> Caller:
        """The library would turn a database failure into 401 here."""
        return caller_of_token(payload)


class BearerJwtAuthentication(JwtHeaderAuthentication):
    """The same token as `Authorization: Bearer <token>`, which the legacy surface may be told to take (AUTH-2)."""

    scheme = "bearer"


class JwtCookieAuthentication(JwtHeaderAuthentication):
    """
    The token in the two cookies of today's frontends. Invalid, or not of the session's user, it counts as absent
    (AUTH-8). Beside a session of that name it adds its roles to what the session has, also where a password opened the
    session: who sends both holds both, and neither opens more than it does alone.

    A browser sends cookies unasked, so writing needs a CSRF token as with a session.
    """

    def authenticate(self, request: Request) -> Authenticated | None:
        claims = self.cookie_claims(request)
        if claims is None:
            return None
        session_user = self.session_user(request)
        if session_user and session_user.username != claims["preferred_username"]:
            return None
        authenticated = known(session_user or caller_of_token(claims), claims)
        # Only now, since a deactivated user is told so with or without a CSRF token (AUTH-6).
        self.enforce_csrf(request)
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
    """Django's session, saying why when its user was deactivated (AUTH-6)."""

    def authenticate(self, request: Request) -> Authenticated | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request._request.user
        if not user.is_authenticated:
            if SESSION_KEY in request._request.session:
                raise Deactivated
            return None
        self.enforce_csrf(request)
        return known(user, None)
