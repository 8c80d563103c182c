"""
Skip session, user, messages and history for reads with a token.

Only browsers need these four. Most requests are reads by other services with a token: they bring no session cookie and
change nothing, and the four middlewares would take a noticeable part of their time.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from simple_history.middleware import HistoryRequestMiddleware

_API = ("/api/v", "/enterprise/api/")
_READING = ("GET", "HEAD")

_GetResponse = Callable[[HttpRequest], HttpResponseBase]


def is_token_read(request: HttpRequest) -> bool:
    """Return whether this is a read of the API without a session cookie."""
    return (
        request.method in _READING
        and request.path_info.startswith(_API)
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
    )


class _ForBrowsers(MiddlewareMixin):
    """
    Skip this middleware, and those of its kind that follow, for reads with a token.

    The four are not one middleware, because the admin's system checks look for each of them in the settings.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        super().__init__(get_response)
        # Django wraps each middleware in a function that turns its exceptions into answers.
        following = getattr(get_response, "__wrapped__", None)
        self.beyond: _GetResponse = following.beyond if isinstance(following, _ForBrowsers) else get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.beyond(request) if is_token_read(request) else super().__call__(request)


class SessionMiddleware(_ForBrowsers, sessions.SessionMiddleware):
    """Django's middleware, skipped for reads with a token."""


class AuthenticationMiddleware(_ForBrowsers, auth.AuthenticationMiddleware):
    """Django's middleware, skipped for reads with a token."""


class MessageMiddleware(_ForBrowsers, messages.MessageMiddleware):
    """Django's middleware, skipped for reads with a token."""


class HistoryMiddleware(_ForBrowsers):
    """simple_history's middleware, which is a function, skipped for reads with a token."""

    def __init__(self, get_response: _GetResponse) -> None:
        super().__init__(get_response)
        self.with_history = HistoryRequestMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> Any:
        return self.beyond(request) if is_token_read(request) else self.with_history(request)
