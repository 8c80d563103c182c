"""
What only a person's browser needs of every request: session, user, messages, and who changed what.

Most calls are reads by other services with a token. For them these four do nothing: no cookie, nothing to remember,
nothing changed. All middleware together was a fifth of the processor time of a `contains`.
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

_Answers = Callable[[HttpRequest], HttpResponseBase]


def is_token_read(request: HttpRequest) -> bool:
    """A read of the API by somebody who brings no session."""
    return (
        request.method in _READING
        and request.path_info.startswith(_API)
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
    )


class _ForBrowsers(MiddlewareMixin):
    """
    Steps aside for token reads, together with those of its kind that come next. The admin's checks want the middlewares
    in the settings, so each is one still.
    """

    def __init__(self, get_response: _Answers) -> None:
        super().__init__(get_response)
        # Django wraps each in a function that turns its exceptions into answers.
        following = getattr(get_response, "__wrapped__", None)
        self.beyond: _Answers = following.beyond if isinstance(following, _ForBrowsers) else get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.beyond(request) if is_token_read(request) else super().__call__(request)


class SessionMiddleware(_ForBrowsers, sessions.SessionMiddleware):
    """Django's."""


class AuthenticationMiddleware(_ForBrowsers, auth.AuthenticationMiddleware):
    """Django's."""


class MessageMiddleware(_ForBrowsers, messages.MessageMiddleware):
    """Django's."""


class HistoryMiddleware(_ForBrowsers):
    """simple_history's, which is a function."""

    def __init__(self, get_response: _Answers) -> None:
        super().__init__(get_response)
        self.with_history = HistoryRequestMiddleware(get_response)

    def __call__(self, request: HttpRequest) -> Any:
        return self.beyond(request) if is_token_read(request) else self.with_history(request)
