"""
What a name opens: the one place that decides whom a verified token makes the caller (AUTH-5, AUTH-6).

The API (header and cookies) and the sign-in through the LMS ask here. A session needs no name: Django's holds the row
that a password, or this sign-in, opened.
"""

from typing import Any, TypeGuard

from django.contrib.auth.hashers import make_password
from rest_framework.exceptions import AuthenticationFailed

from enterprise_catalog.apps.core.callers import Caller, TokenCaller
from enterprise_catalog.apps.core.db.row_lookup import ModelColumns, RowLookup
from enterprise_catalog.apps.core.models import User

USERNAME_MAX_LENGTH = 150
EMAIL_MAX_LENGTH = 254

_user_named: RowLookup[User] = RowLookup("{user} WHERE username = %s", lambda user: user, user=ModelColumns(User))


class Deactivated(AuthenticationFailed):
    """The user of this name is switched off here, whatever a token says."""

    default_detail = "User inactive or deleted."


def opens_by_password(user: User) -> bool:
    """
    Whether somebody holds a password of this account. It was made here, by a name that anybody may have at the LMS.

    A password that no installed hasher knows counts: it is a trace of one. An empty one opens nothing.
    """
    return bool(user.password) and user.has_usable_password()


def caller_of_token(claims: dict[str, Any]) -> Caller:
    """
    Whom a verified token names: the user of this name, made on first sight, or, where that is a local account that
    opens by a password, a caller who has what the token says and nothing else.

    One statement for a known user; of two first requests at once, both get the one row. An email address names nobody.
    Raises Deactivated, and AuthenticationFailed for a name that could not be a user's: where the database compares
    names loosely, a look-up may return the row of another name.
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
    """The claim that names the user, or a refusal when it could not be a username here (AUTH-5)."""
    username = claims.get("preferred_username")
    if not username or not _is_line(username, most=USERNAME_MAX_LENGTH):
        raise AuthenticationFailed("Invalid token: no usable preferred_username.")
    return username


def _made(username: str, claims: dict[str, Any]) -> User:
    new = {"email": _email_of(claims), "password": make_password(None)}
    return User.objects.get_or_create(username=username, defaults=new)[0]


def _email_of(claims: dict[str, Any]) -> str:
    email = claims.get("email")
    return email if _is_line(email, most=EMAIL_MAX_LENGTH) else ""


def _is_line(value: Any, *, most: int) -> TypeGuard[str]:
    """
    Text that a column of this length takes. JSON can say NUL and halves of character pairs, which no database stores.
    """
    return isinstance(value, str) and len(value) <= most and value.isprintable()
