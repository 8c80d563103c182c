"""
Who is calling: JWT header, then JWT cookies, then Django session (AUTH-1).

A token is decoded once; its claims stay on the request as `request.auth`, so that roles need no second signature
check. Nothing here decides what the caller may do.
"""

from typing import Any, TypeGuard

import jwt
import structlog
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import make_password
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from enterprise_catalog.apps.access.tokens import verified_payload
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.core.prepared import Part, PreparedLookup

USERNAME_MAX_LENGTH = 150
EMAIL_MAX_LENGTH = 254

_user_named: PreparedLookup[User] = PreparedLookup("{user} WHERE username = %s", lambda user: user, user=Part(User))

Authenticated = tuple[User, dict[str, Any] | None]


def username_of_payload(payload: dict[str, Any]) -> str:
    """The claim that names the user, or a refusal when it could not be a username here (AUTH-5)."""
    username = payload.get("preferred_username")
    if not username or not is_line(username, most=USERNAME_MAX_LENGTH):
        raise AuthenticationFailed("Invalid token: no usable preferred_username.")
    return username


def user_of_payload(payload: dict[str, Any]) -> User:
    """
    The local user of a verified payload, made on first sight (AUTH-5). One query for a known user; of two first
    requests at once, both get the one row. An email address names nobody.

    Where the database compares names loosely, a look-up may return another user's row; that is refused.
    """
    username = username_of_payload(payload)
    email = payload.get("email")
    if not is_line(email, most=EMAIL_MAX_LENGTH):
        email = ""
    user, created = _user_named(username), False
    if user is None:
        user, created = User.objects.get_or_create(
            username=username, defaults={"email": email, "password": make_password(None)}
        )
    if user.username != username:
        raise AuthenticationFailed("Invalid token: preferred_username is too like another user's.")
    if email and user.email != email and user.is_active and not created:
        user.email = email
        user.save(update_fields=["email"])
    return user


def is_line(value: Any, *, most: int) -> TypeGuard[str]:
    """
    Text that a column of this length takes. JSON can say NUL and halves of character pairs, which no database stores.
    """
    return isinstance(value, str) and len(value) <= most and value.isprintable()


def accept(user: User, claims: dict[str, Any] | None) -> Authenticated:
    if not user.is_active:
        raise AuthenticationFailed("User inactive or deleted.")
    structlog.contextvars.bind_contextvars(user_id=user.pk)
    return user, claims


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
        return accept(user_of_payload(claims), claims)

    def authenticate_credentials(self, payload: dict[str, Any]) -> User:
        """The library would turn a database failure into 401 here."""
        return user_of_payload(payload)


class BearerJwtAuthentication(JwtHeaderAuthentication):
    """The same token as `Authorization: Bearer <token>`, which the legacy surface may be told to take (AUTH-2)."""

    scheme = "bearer"


class JwtCookieAuthentication(JwtHeaderAuthentication):
    """
    The token in the two cookies of today's frontends. Invalid, or not of the session's user, it counts as absent
    (AUTH-8).

    A browser sends cookies unasked, so writing needs a CSRF token as with a session.
    """

    def authenticate(self, request: Request) -> Authenticated | None:
        claims = self.cookie_claims(request)
        if claims is None:
            return None
        session_user = self.session_user(request)
        if session_user and session_user.username != claims["preferred_username"]:
            return None
        authenticated = accept(session_user or user_of_payload(claims), claims)
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
            username_of_payload(claims)
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
                raise AuthenticationFailed("User inactive or deleted.")
            return None
        self.enforce_csrf(request)
        return accept(user, None)
