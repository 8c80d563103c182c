"""
Signing in to the admin by password (SEC-2): who may try, who gets in, and what is counted and said of it.

django-axes counts failures in the database. Ten for one name or from one address, and for some minutes no password is
taken for that name or from there: the answer and the work for it are the same whether or not somebody has that name.

A browser in which a person signed in before carries a signed cookie that says so. Its failures are counted by
themselves, and it is not locked by what others do with that name or at that address. So nobody can keep a person out
of their own browser by guessing.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import structlog
from axes.backends import AxesBackend
from axes.handlers.proxy import AxesProxyHandler
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_login_failed
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from enterprise_catalog.apps.core.middleware.client_address import caller
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.core.observability.metrics import count_sign_in

log = structlog.get_logger(__name__)

KNOWN_BROWSER_COOKIE = "known_browser"
_SALT = "enterprise_catalog.known_browser"
_KNOWN_BROWSER_SECONDS = settings.SIGN_IN_KNOWN_BROWSER_DAYS * 24 * 3600
_NAME_CHARACTERS = 150
# Stands in the table where an address is not known; nobody calls from it, and it is never a reason to lock.
_UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104

# Comparing a password takes some tenths of a second of one processor on purpose. One at a time in each process: others
# want to read, and of guesses sent at once only as many as there are processes can outrun the count.
_turn = BoundedSemaphore(1)
_PATIENCE_SECONDS = 2


class PasswordBackend(AxesBackend):
    """
    Django's, for what a password opens here: the admin. So it takes staff only, and names only as they are written: the
    database may compare them loosely, and each spelling is counted by itself.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **other: Any
    ) -> User | None:
        """The user, or None; both after the same work. Raises PermissionDenied when locked, before any."""
        super().authenticate(request, username=username, password=password, **other)
        user = ModelBackend.authenticate(self, request, username=username, password=password)
        if not isinstance(user, User) or user.username != username or not user.is_staff:
            return None
        return user


@contextmanager
def one_at_a_time() -> Iterator[bool]:
    """Whether it is this request's turn to compare a password; it waits for a moment."""
    acquired = _turn.acquire(timeout=_PATIENCE_SECONDS)
    try:
        yield acquired
    finally:
        if acquired:
            _turn.release()


def is_locked_out(request: HttpRequest) -> bool:
    """Whether the attempt of this request was refused for earlier ones, or was the last of them."""
    return bool(getattr(request, "axes_locked_out", False))


def may_try(request: HttpRequest, *, username: str) -> bool:
    """For places other than the sign-in page where somebody has to show that they know a password."""
    return bool(AxesProxyHandler.is_allowed(request, {"username": username}))


def count_failure(request: HttpRequest, *, username: str) -> None:
    """A wrong password at such a place."""
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)


def remember_browser(request: HttpRequest, response: HttpResponse, *, username: str, path: str) -> None:
    """After a sign-in: this browser is known for that name, and no other."""
    known = signing.dumps([username, _known_browser(request, username) or secrets.token_hex(16)], salt=_SALT)
    response.set_cookie(
        KNOWN_BROWSER_COOKIE,
        known,
        max_age=_KNOWN_BROWSER_SECONDS,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


# What django-axes asks of us (AXES_... in the settings).


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """What an attempt is counted by: the name, or the browser that is known for it."""
    username = str((credentials or {}).get("username") or "")
    browser = _known_browser(request, username)
    # A longer one than anybody can have stays longer, and fits its column.
    return f"known browser {browser}" if browser else username[: _NAME_CHARACTERS + 1]


def counted_address(request: HttpRequest) -> str:
    """AXES_CLIENT_IP_CALLABLE."""
    return str(caller(request) or _UNKNOWN_ADDRESS)


def locked_by(request: HttpRequest, credentials: dict[str, Any] | None) -> list[str]:
    """Which of an attempt's counts may lock it."""
    username = str((credentials or {}).get("username") or "")
    if _known_browser(request, username) or counted_address(request) == _UNKNOWN_ADDRESS:
        return ["username"]
    return ["username", "ip_address"]


def _known_browser(request: HttpRequest, username: str) -> str | None:
    try:
        known = signing.loads(request.COOKIES.get(KNOWN_BROWSER_COOKIE, ""), salt=_SALT, max_age=_KNOWN_BROWSER_SECONDS)
    except signing.BadSignature:
        return None
    name, browser = known
    return browser if name == username else None


@receiver(user_login_failed)
def _failed(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any) -> None:
    if request is not None and not is_locked_out(request):
        _tell("failed", request, str(credentials.get("username") or ""), log.info)


@receiver(user_locked_out)
def _locked(*, request: HttpRequest, **_signal: Any) -> None:
    """Sent for the failure that locks, and for each attempt while it lasts."""
    noted: Any = request
    username = str((noted.axes_credentials or {}).get("username") or "")
    if noted.axes_failures_since_start is None:
        _tell("refused", request, username, log.info)
    else:
        _tell("locked", request, username, log.warning)


def _tell(outcome: str, request: HttpRequest, username: str, write: Any) -> None:
    """Who tries the same thing again is seen in the log, and not who it is."""
    count_sign_in(outcome=outcome)
    write(
        f"sign_in_{outcome}",
        account=_pseudonym(username),
        address=_pseudonym(counted_address(request)),
        known_browser=_known_browser(request, username) is not None,
    )


def _pseudonym(text: str) -> str:
    return salted_hmac("enterprise_catalog.sign_in", text, algorithm="sha256").hexdigest()[:16]
