"""
Sign staff in to the admin with a password, and lock names and addresses after wrong ones (SEC-2).

django-axes counts failures in the database. After ten for one name or from one address, no password is accepted for
that name or from there for some minutes. Answer and cost are the same whether or not the name exists.

A browser in which a person signed in before has a signed cookie that says so. Its failures are counted separately, and
failures elsewhere do not lock it. So nobody can lock a person out of their own browser by guessing.
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
# Stored when the address is unknown. No request comes from it, and it is never a reason to lock.
_UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104

# Comparing a password takes some tenths of a second of one processor on purpose. One at a time in each process leaves
# time for readers, and lets at most one guess per process run before its failure is counted.
_comparison = BoundedSemaphore(1)
_PATIENCE_SECONDS = 2


class PasswordBackend(AxesBackend):
    """
    Authenticate staff, since passwords are only for the admin.

    The name must match exactly: the database may compare loosely, and failures are counted for each spelling.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **other: Any
    ) -> User | None:
        """Return the user or None, both after the same work. Raises PermissionDenied first if the name is locked."""
        super().authenticate(request, username=username, password=password, **other)
        user = ModelBackend.authenticate(self, request, username=username, password=password)
        if not isinstance(user, User) or user.username != username or not user.is_staff:
            return None
        return user


@contextmanager
def one_at_a_time() -> Iterator[bool]:
    """Yield whether this request may compare a password now, after waiting up to two seconds for others."""
    acquired = _comparison.acquire(timeout=_PATIENCE_SECONDS)
    try:
        yield acquired
    finally:
        if acquired:
            _comparison.release()


def is_locked_out(request: HttpRequest) -> bool:
    """Return whether earlier failures locked this attempt, or this attempt's failure locked the next."""
    return bool(getattr(request, "axes_locked_out", False))


def may_try(request: HttpRequest, *, username: str) -> bool:
    """Return whether a password may be tried outside the sign-in page."""
    return bool(AxesProxyHandler.is_allowed(request, {"username": username}))


def count_failure(request: HttpRequest, *, username: str) -> None:
    """Count a wrong password outside the sign-in page."""
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)


def remember_browser(request: HttpRequest, response: HttpResponse, *, username: str, path: str) -> None:
    """Set the cookie by which this browser is known for the user who signed in."""
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


# Called by django-axes (AXES_... in the settings).


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return what failures are counted by: the name, or the browser that is known for it."""
    username = str((credentials or {}).get("username") or "")
    browser = _known_browser(request, username)
    # Cut to fit the column, but longer than any real name, so that it is never taken for one.
    return f"known browser {browser}" if browser else username[: _NAME_CHARACTERS + 1]


def counted_address(request: HttpRequest) -> str:
    """Return the client's address (AXES_CLIENT_IP_CALLABLE)."""
    return str(caller(request) or _UNKNOWN_ADDRESS)


def locked_by(request: HttpRequest, credentials: dict[str, Any] | None) -> list[str]:
    """Return which counts may lock an attempt."""
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
        _record("failed", request, str(credentials.get("username") or ""), log.info)


@receiver(user_locked_out)
def _locked(*, request: HttpRequest, **_signal: Any) -> None:
    """Handle the failure that locks, and each attempt while it is locked."""
    annotated: Any = request
    username = str((annotated.axes_credentials or {}).get("username") or "")
    if annotated.axes_failures_since_start is None:
        _record("refused", request, username, log.info)
    else:
        _record("locked", request, username, log.warning)


def _record(outcome: str, request: HttpRequest, username: str, write: Any) -> None:
    """Log and count an attempt. The log has pseudonyms: repeated attempts are recognisable, and names are not."""
    count_sign_in(outcome=outcome)
    write(
        f"sign_in_{outcome}",
        account=_pseudonym(username),
        address=_pseudonym(counted_address(request)),
        known_browser=_known_browser(request, username) is not None,
    )


def _pseudonym(text: str) -> str:
    return salted_hmac("enterprise_catalog.sign_in", text, algorithm="sha256").hexdigest()[:16]
