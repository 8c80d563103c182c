"""
What Django and the web server log of a request, told briefly: without what was asked, and without a stack for what the
caller did wrong. A bug keeps its stack.
"""

import logging
import re
import sys
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import BadRequest, ImproperlyConfigured, SuspiciousOperation
from gunicorn.errors import HaltServer
from structlog.typing import EventDict

# The longest name that DNS knows, a port included. A caller's host or origin is told so far and no further.
MAX_HOST_CHARACTERS = 260
_NOT_OF_A_HOST = re.compile(r"[^A-Za-z0-9.:\[\]_-]")

# What gunicorn's own parser refuses with another status than 400.
_GUNICORN_STATUS = {
    "ForbiddenProxyRequest": 403,
    "LimitRequestLine": 414,
    "ExpectationFailed": 417,
    "LimitRequestHeaders": 431,
    "UnsupportedTransferCoding": 501,
}


class OnlyExceptions(logging.Filter):
    """
    Of Django's lines about answers, those with a stack, and without the path in them. The others say nothing that the
    request line does not say, which leaves it out.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = "unhandled_exception", ()
        return bool(record.exc_info)


def told_briefly(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A processor of structlog's ProcessorFormatter, for lines of libraries."""
    record: logging.LogRecord = event["_record"]
    event["event"] = str(event["event"]).strip()
    for prefix, tell in _BY_LOGGER.items():
        if record.name == prefix or record.name.startswith(f"{prefix}."):
            tell(record, event)
            break
    return event


def _csrf(record: logging.LogRecord, event: EventDict) -> None:
    """Django's text, `Forbidden (<reason> - <more>): <path>`, has the path in it, and may have the whole Referer."""
    reason = event["event"].removeprefix("Forbidden (").partition(": ")[0].partition(" - ")[0]
    _refused(event, reason=reason.rstrip(".)"))
    headers = getattr(getattr(record, "request", None), "META", {})
    if origin := headers.get("HTTP_ORIGIN") or headers.get("HTTP_REFERER"):
        event["origin"] = _origin(origin)


def _suspicious(record: logging.LogRecord, event: EventDict) -> None:
    """
    Django's loggers for these are named for the exception. The text repeats what was sent, but for the host, which an
    operator needs to see where ALLOWED_HOSTS is wrong.
    """
    reason = record.name.rpartition(".")[2]
    _refused(event, reason=reason)
    request = getattr(record, "request", None)
    if reason == "DisallowedHost" and request is not None:
        event["host"] = _host(request._get_raw_host())


def _answer(record: logging.LogRecord, event: EventDict) -> None:
    """`unhandled_exception`, and the stack, unless it was the caller."""
    if _is_of_caller(_error(event)):
        _refused(event, reason=type(_error(event)).__name__)


def _gunicorn(record: logging.LogRecord, event: EventDict) -> None:
    if str(record.msg).startswith("Error handling request"):
        # A method and a path would follow.
        event["event"] = "Error handling request"
        _answer(record, event)
    elif str(record.msg).startswith("Invalid request from ip="):
        # The text repeats the request; gunicorn says it while it handles the exception.
        reason = type(sys.exc_info()[1]).__name__
        event.update(event="request_malformed", status=_GUNICORN_STATUS.get(reason, 400), reason=reason)
        # What the thread still knows is of the request before.
        event.pop("request_id", None)
        event.pop("user_id", None)
    else:
        _start(record, event)


def _start(record: logging.LogRecord, event: EventDict) -> None:
    """A setting is missing or unfit: the text names it, and where in the code that was noticed helps nobody."""
    error = _error(event)
    if isinstance(error, ImproperlyConfigured | HaltServer):
        event.pop("exc_info", None)
        # gunicorn raises the second where two workers refuse at once, and does not catch it.
        event.update(event="start_refused", reason=error.reason if isinstance(error, HaltServer) else str(error))


def _refused(event: EventDict, *, reason: str) -> None:
    event.pop("exc_info", None)
    event.update(event="request_refused", reason=reason, level="warning")


def _warning(record: logging.LogRecord, event: EventDict) -> None:
    """django-environ prints the parts of an address that it does not understand, the password among them."""
    event["event"] = str(event["event"]).partition("{")[0]


def _error(event: EventDict) -> BaseException | None:
    exc_info = event.get("exc_info")
    return exc_info[1] if isinstance(exc_info, tuple) else None


def _is_of_caller(error: BaseException | None) -> bool:
    """The caller sent something that cannot be meant, or went away in the middle."""
    # Imported late: it needs more of Django than there is while settings are read.
    from django.http.request import UnreadablePostError

    return isinstance(error, SuspiciousOperation | BadRequest | UnreadablePostError | BrokenPipeError)


def _host(text: str) -> str:
    return _NOT_OF_A_HOST.sub("?", text[:MAX_HOST_CHARACTERS])


def _origin(text: str) -> str:
    """Scheme and host of an address, and nothing of its path or query; "?" where there are none."""
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
