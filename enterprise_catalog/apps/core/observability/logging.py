"""
One JSON object per log line, for structlog and for every library that uses Python's logging alike.

Lines carry the request id and the user's id once they are known. They never carry tokens, names, addresses, or what a
caller asked about. What is printed past logging is the business of `core.observability.process_output`.
"""

import json
import logging
import logging.config
import os
import re
import select
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import orjson
import structlog
from django.core.exceptions import ImproperlyConfigured
from structlog.typing import EventDict, Processor

from enterprise_catalog.apps.core.observability import library_logs

# Docker and the container runtimes of Kubernetes cut longer lines into pieces, which are no JSON any more.
MAX_LINE_BYTES = 16 * 1024
# In a line that would be longer, so much stays of each value, and of a stack. Less, where that is not enough.
MAX_VALUE_CHARACTERS = 1000
MAX_STACK_CHARACTERS = 10_000
_FEWEST_CHARACTERS = 50

_STDERR = 2
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# Secrets that texts of libraries may hold, a stack above all: the password in an address, a token. In lines about an
# exception also an e-mail address; elsewhere it would be the name of a celery worker.
_PASSWORD_IN_ADDRESS = re.compile(r'(?<=://)[^\s/"\\]*@')
_TOKEN = re.compile(r"\beyJ[\w-]+(\.[\w-]*)+")
_EMAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")

_ENRICH: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


# --- From an event to a line -----------------------------------------------------------------------------------------


def to_json(event: MutableMapping[str, Any], **_options: Any) -> str:
    """The line of an event: without secrets, of MAX_LINE_BYTES at most, and never lost."""
    line = _dumped(event)
    characters, stack_characters = MAX_VALUE_CHARACTERS, MAX_STACK_CHARACTERS
    while len(line) > MAX_LINE_BYTES and characters >= _FEWEST_CHARACTERS:
        line = _dumped(_shortened(event, characters=characters, stack_characters=stack_characters))
        characters, stack_characters = characters // 2, stack_characters // 2
    if len(line) > MAX_LINE_BYTES:
        kept = {name: event[name] for name in ("event", "logger", "level", "timestamp") if name in event}
        line = _dumped(_shortened(kept, characters=_FEWEST_CHARACTERS, stack_characters=0))
    text = line.decode()
    if "://" in text:
        text = _PASSWORD_IN_ADDRESS.sub("***@", text)
    if "eyJ" in text:
        text = _TOKEN.sub("***", text)
    return text


def _dumped(event: MutableMapping[str, Any]) -> bytes:
    """A line is never lost to what cannot be serialised: it is written less neatly instead."""
    try:
        return orjson.dumps(event, default=str)
    except (TypeError, ValueError):
        return json.dumps({str(name): _as_plain(value) for name, value in event.items()}).encode()


def _as_plain(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, str | int | float):
        return value
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _shortened(event: MutableMapping[str, Any], *, characters: int, stack_characters: int) -> dict[str, Any]:
    """Of what is too long its two ends: a stack says at the end what happened."""
    shortened: dict[str, Any] = {"is_cut": True}
    for name, value in event.items():
        most = stack_characters if name == "exception" else characters
        if value is not None and not isinstance(value, str | int | float | bool):
            value = _dumped({name: value}).decode()
        if isinstance(value, str) and len(value) > most:
            value = f"{value[: most // 2]} ... {value[len(value) - most // 2 :]}"
        shortened[str(name)[:characters]] = value
    return shortened


def _as_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """The last processor of our own events: what is logged is the line."""
    return (to_json(event),), {"extra": {"is_single_line": True}}


# --- Stacks ----------------------------------------------------------------------------------------------------------


def _stack_once(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """
    The stack of an exception is in one line; whoever else logs the same exception on its way up names its type. A
    stream that broke would otherwise be told by the view, by Django and by the server.
    """
    error = _error_of(event.get("exc_info"))
    if error is None:
        event.pop("exc_info", None)
        return event
    record = event.get("_record")
    if not (_is_first(error) if record is None else record.is_first):
        del event["exc_info"]
        event["error"] = type(error).__name__
    return event


def _is_first(error: BaseException) -> bool:
    """Whether this is the first line about it."""
    is_first = not getattr(error, "is_logged", False)
    with suppress(AttributeError):
        # An exception that takes no attribute is told as often as it is logged.
        error.is_logged = True  # type: ignore[attr-defined]
    return is_first


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    return exc_info[1] if isinstance(exc_info, tuple) else sys.exc_info()[1] if exc_info else None


def _without_email_addresses(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """In lines about an exception, whose text libraries repeat in the event."""
    if "exception" in event or "error" in event:
        for name in ("event", "error", "exception"):
            if "@" in (text := str(event.get(name, ""))):
                event[name] = _EMAIL_ADDRESS.sub("***", text)
    return event


_FINISH: list[Processor] = [_stack_once, structlog.processors.format_exc_info, _without_email_addresses]


# --- Python's logging ------------------------------------------------------------------------------------------------


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Makes lines of what libraries log. Ours are lines already: taking each apart again was half of its cost."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=_ENRICH,
            processors=[
                library_logs.told_briefly,
                *_FINISH,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=to_json),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, "is_single_line", False):
            return record.getMessage()
        error = _error_of(record.exc_info)
        if error is not None and not hasattr(record, "is_first"):
            # Asked once: a record may be formatted for several handlers.
            record.is_first = _is_first(error)
        try:
            return super().format(record)
        except Exception as error:
            # Logging itself would print a stack of many lines: a library's arguments did not fit its message.
            told = {"event": "log_line_unreadable", "logger": record.name, "level": record.levelname.lower()}
            told["timestamp"] = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"]
            return to_json({**told, "message": _as_plain(record.msg), "error": type(error).__name__})


class LineHandler(logging.Handler):
    """
    Writes each line to standard error by one call to the system, so that lines of processes that share it do not mix.
    It needs no `sys.stderr`, and signal handlers may use it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        write_line(self.format(record))


def write_line(line: str) -> None:
    rest = f"{line}\n".encode(errors="backslashreplace")
    while rest:
        try:
            rest = rest[os.write(_STDERR, rest) :]
        except BlockingIOError:
            select.select([], [_STDERR], [])
        except OSError:
            # Nobody reads it any more. That is no reason to fail.
            return


def line_handler() -> logging.Handler:
    handler = LineHandler()
    handler.setFormatter(LineFormatter())
    return handler


def logging_config(level: str) -> dict[str, Any]:
    """Django's LOGGING. Raises ImproperlyConfigured for a level that there is not."""
    if level.upper() not in _LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL must be one of {', '.join(_LEVELS)}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": LineFormatter}},
        "filters": {"only_exceptions": {"()": library_logs.OnlyExceptions}},
        "handlers": {"stderr": {"class": f"{__name__}.LineHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # Django's own handlers print in DEBUG only and mail administrators.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Its lines hold names and addresses; what is to be said of sign-ins, `access.password_sign_in` says.
            "axes": {"level": "CRITICAL"},
            "django.request": {"level": "ERROR", "filters": ["only_exceptions"]},
            # What they say is said by our own lines, too, and theirs name people, or repeat what was asked.
            **{name: {"level": "CRITICAL"} for name in ("auth_backends", "edx_rbac", "social")},
            "edx_rest_framework_extensions": {"level": "CRITICAL"},
            # DEBUG would tell the query strings of our own requests.
            "urllib3": {"level": "INFO"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: set up both logging systems before any application is loaded."""
    logging.config.dictConfig(config)
    # No line says from where in the code, by which thread or process: finding out costs more than the line itself.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_ENRICH,
            structlog.processors.StackInfoRenderer(),
            *_FINISH,
            _as_line,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
