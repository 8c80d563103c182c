"""
Find or create the user that a verified token names: the only place that decides it (AUTH-5, AUTH-6).

The API (header and cookies) and the sign-in through the LMS use it. Sessions do not: Django loads their user by id.
"""

from typing import Any, TypeGuard

from django.contrib.auth.hashers import make_password
from rest_framework.exceptions import AuthenticationFailed

from enterprise_catalog.apps.core.callers import Caller, TokenCaller
from enterprise_catalog.apps.core.db.locks import retry_lost_locks
from enterprise_catalog.apps.core.db.row_lookup import ModelColumns, RowLookup
from enterprise_catalog.apps.core.models import User

USERNAME_MAX_LENGTH = 150
EMAIL_MAX_LENGTH = 254

_user_named: RowLookup[User] = RowLookup("{user} WHERE username = %s", lambda user: user, user=ModelColumns(User))


class Deactivated(AuthenticationFailed):
    """The user is inactive here, whatever a token says."""

    default_detail = "User inactive or deleted."


def opens_by_password(user: User) -> bool:
    """
    Return whether the account has a password. Then it was created here, and its name may be anybody's at the LMS.

    A password that no installed hasher knows counts as one. An empty one does not.
    """
    return bool(user.password) and user.has_usable_password()


def caller_of_token(claims: dict[str, Any]) -> Caller:
    """
    Return the user with the token's username, creating it on first sight.

    If that user is a local account with a password, return a caller who has the token's roles and nothing else. A known
    user takes one statement; two first requests at once get the same row. An email address identifies nobody.

    Raises Deactivated, and AuthenticationFailed for an invalid username. The database may compare names loosely, so
    a look-up can return the row of a similar name; that is refused, too.
    """
    username = username_of(claims)
    user = _user_named(username) or _made(username, claims)
    if user.username != username:
        raise AuthenticationFailed("Invalid token: preferred_username is too like another user's.")
    if not user.is_active:
        raise Deactivated
    if opens_by_password(user):
        return TokenCaller(username, namesake_id=user.pk)
    email = _email_of(claims)
    if email and user.email != email:
        user.email = email
        user.save(update_fields=["email"])
    return user


def username_of(claims: dict[str, Any]) -> str:
    """Return the token's username. Raises AuthenticationFailed if it cannot be one here (AUTH-5)."""
    username = claims.get("preferred_username")
    if not username or not _is_line(username, most=USERNAME_MAX_LENGTH):
        raise AuthenticationFailed("Invalid token: no usable preferred_username.")
    return username


@retry_lost_locks
def _made(username: str, claims: dict[str, Any]) -> User:
    new = {"email": _email_of(claims), "password": make_password(None)}
    return User.objects.get_or_create(username=username, defaults=new)[0]


def _email_of(claims: dict[str, Any]) -> str:
    email = claims.get("email")
    return email if _is_line(email, most=EMAIL_MAX_LENGTH) else ""


def _is_line(value: Any, *, most: int) -> TypeGuard[str]:
    """Return whether the value is text for a column of this length, without NUL and lone surrogates, as JSON allows."""
    return isinstance(value, str) and len(value) <= most and value.isprintable()
