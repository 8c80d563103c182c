"""
Shorten what Django and gunicorn log about requests.

Their lines lose what the caller asked for, and the stack of errors that the caller made. Bugs keep their stack.
"""

import logging
import re
import sys
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import BadRequest, ImproperlyConfigured, SuspiciousOperation
from gunicorn.errors import HaltServer
from structlog.typing import EventDict

# The longest name in DNS, a port included. A longer host or origin of a caller is cut.
MAX_HOST_CHARACTERS = 260
_NOT_OF_A_HOST = re.compile(r"[^A-Za-z0-9.:\[\]_-]")

# The errors of gunicorn's parser that it answers with another status than 400.
_GUNICORN_STATUS = {
    "ForbiddenProxyRequest": 403,
    "LimitRequestLine": 414,
    "ExpectationFailed": 417,
    "LimitRequestHeaders": 431,
    "UnsupportedTransferCoding": 501,
}


class OnlyExceptions(logging.Filter):
    """
    Keep only those of Django's lines about answers that have a stack, and remove the path from them.

    The line that `core.middleware.request_log` writes for each request says what the others would say.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = "unhandled_exception", ()
        return bool(record.exc_info)


def shorten_library_line(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Processor of structlog's ProcessorFormatter that shortens lines of libraries."""
    record: logging.LogRecord = event["_record"]
    event["event"] = str(event["event"]).strip()
    for prefix, shorten in _BY_LOGGER.items():
        if record.name == prefix or record.name.startswith(f"{prefix}."):
            shorten(record, event)
            break
    return event


def _csrf(record: logging.LogRecord, event: EventDict) -> None:
    """Keep the reason of Django's text, `Forbidden (<reason> - <more>): <path>`, which may repeat the Referer."""
    reason = event["event"].removeprefix("Forbidden (").partition(": ")[0].partition(" - ")[0]
    _refused(event, reason=reason.rstrip(".)"))
    headers = getattr(getattr(record, "request", None), "META", {})
    if origin := headers.get("HTTP_ORIGIN") or headers.get("HTTP_REFERER"):
        event["origin"] = _origin(origin)


def _suspicious(record: logging.LogRecord, event: EventDict) -> None:
    """
    Keep the name of the exception, which ends the name of Django's logger: the text repeats what was sent.

    Of DisallowedHost the host stays, which an operator needs to see if ALLOWED_HOSTS is wrong.
    """
    reason = record.name.rpartition(".")[2]
    _refused(event, reason=reason)
    request = getattr(record, "request", None)
    if reason == "DisallowedHost" and request is not None:
        event["host"] = _host(request._get_raw_host())


def _answer(record: logging.LogRecord, event: EventDict) -> None:
    """Keep the stack of an unhandled exception, unless the caller made the error."""
    if _is_caller_error(_error(event)):
        _refused(event, reason=type(_error(event)).__name__)


def _gunicorn(record: logging.LogRecord, event: EventDict) -> None:
    if str(record.msg).startswith("Error handling request"):
        # gunicorn adds the method and the path.
        event["event"] = "Error handling request"
        _answer(record, event)
    elif str(record.msg).startswith("Invalid request from ip="):
        # The text repeats the request. gunicorn logs it while it handles the exception.
        reason = type(sys.exc_info()[1]).__name__
        event.update(event="request_malformed", status=_GUNICORN_STATUS.get(reason, 400), reason=reason)
        # The thread still holds these of the request before.
        event.pop("request_id", None)
        event.pop("user_id", None)
    else:
        _start(record, event)


def _start(record: logging.LogRecord, event: EventDict) -> None:
    """Drop the stack of a refused start: the text names the setting that is missing or wrong."""
    error = _error(event)
    if isinstance(error, ImproperlyConfigured | HaltServer):
        event.pop("exc_info", None)
        # gunicorn raises HaltServer if two workers refuse at once, and does not catch it.
        event.update(event="start_refused", reason=error.reason if isinstance(error, HaltServer) else str(error))


def _refused(event: EventDict, *, reason: str) -> None:
    event.pop("exc_info", None)
    event.update(event="request_refused", reason=reason, level="warning")


def _warning(record: logging.LogRecord, event: EventDict) -> None:
    """Cut django-environ's warning, which repeats the parts of a URL, the password among them."""
    event["event"] = str(event["event"]).partition("{")[0]


def _error(event: EventDict) -> BaseException | None:
    exc_info = event.get("exc_info")
    return exc_info[1] if isinstance(exc_info, tuple) else None


def _is_caller_error(error: BaseException | None) -> bool:
    """Return whether the caller sent an invalid request, or disconnected."""
    # Imported late, because it needs settings, and they may still be loading.
    from django.http.request import UnreadablePostError

    return isinstance(error, SuspiciousOperation | BadRequest | UnreadablePostError | BrokenPipeError)


def _host(text: str) -> str:
    return _NOT_OF_A_HOST.sub("?", text[:MAX_HOST_CHARACTERS])


def _origin(text: str) -> str:
    """Return the scheme and host of a URL, without its path and query; "?" if it has none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "?"
    if not parts.netloc:
        return "?"
    return f"{_host(parts.scheme)}://{_host(parts.netloc.rpartition('@')[2])}"


_BY_LOGGER = {
    "django.security.csrf": _csrf,
    "django.security": _suspicious,
    "django.request": _answer,
    "gunicorn.error": _gunicorn,
    "celery.utils.dispatch.signal": _start,
    "uncaught": _start,
    "py.warnings": _warning,
}
