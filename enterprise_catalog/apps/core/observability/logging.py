"""
Write one JSON object per log line, for structlog and for libraries that use Python's logging.

Lines carry the request id and the user's id once they are known. They never carry tokens, names, addresses, or what a
caller asked for. `core.observability.process_output` handles what is printed instead of logged.
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

# Docker and the container runtimes of Kubernetes cut longer lines into pieces, which are not JSON any more.
MAX_LINE_BYTES = 16 * 1024
# A longer line is shortened: each value and the stack to these lengths, and to shorter ones if that is not enough.
MAX_VALUE_CHARACTERS = 1000
MAX_STACK_CHARACTERS = 10_000
_FEWEST_CHARACTERS = 50

_STDERR = 2
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# Secrets that texts and stacks of libraries may hold: the password in a URL, a token, and in lines about an exception
# an e-mail address. In other lines that form is the name of a Celery worker.
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
    """Return an event as one line without secrets, of MAX_LINE_BYTES at most. Never raises."""
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
    """Serialise an event. Values that JSON cannot hold are written as text, so that no line is lost."""
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
    """Keep both ends of long values: the end of a stack says what happened."""
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
    """Processor that ends the chain of our own events: it passes the finished line to logging."""
    return (to_json(event),), {"extra": {"is_single_line": True}}


# --- Stacks ----------------------------------------------------------------------------------------------------------


def _stack_once(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """
    Log the stack of an exception once. Later lines about the same exception name its type.

    A stream that breaks would otherwise log it three times: in the view, in Django and in gunicorn.
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
    """Return whether this is the first line about an exception, and mark it as logged."""
    is_first = not getattr(error, "is_logged", False)
    with suppress(AttributeError):
        # Some exceptions take no attribute. Their stack is logged each time.
        error.is_logged = True  # type: ignore[attr-defined]
    return is_first


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    return exc_info[1] if isinstance(exc_info, tuple) else sys.exc_info()[1] if exc_info else None


def _without_email_addresses(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace e-mail addresses in lines about an exception, whose text libraries repeat in the event."""
    if "exception" in event or "error" in event:
        for name in ("event", "error", "exception"):
            if "@" in (text := str(event.get(name, ""))):
                event[name] = _EMAIL_ADDRESS.sub("***", text)
    return event


_FINISH: list[Processor] = [_stack_once, structlog.processors.format_exc_info, _without_email_addresses]


# --- Python's logging ------------------------------------------------------------------------------------------------


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Format what libraries log. Our own events arrive as finished lines, since parsing them again would be slow."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=_ENRICH,
            processors=[
                library_logs.shorten_library_line,
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
            # Decided once, because a record may be formatted for several handlers.
            record.is_first = _is_first(error)
        try:
            return super().format(record)
        except Exception as error:
            # A library's arguments do not fit its message. Logging itself would print a stack of many lines.
            line = {"event": "log_line_unreadable", "logger": record.name, "level": record.levelname.lower()}
            line["timestamp"] = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"]
            return to_json({**line, "message": _as_plain(record.msg), "error": type(error).__name__})


class LineHandler(logging.Handler):
    """
    Write each line to standard error by one system call, so that lines of processes that share it do not mix.

    It does not use `sys.stderr`, and signal handlers may call it.
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
            # Nobody reads standard error any more, which must not fail the work.
            return


def line_handler() -> logging.Handler:
    handler = LineHandler()
    handler.setFormatter(LineFormatter())
    return handler


def logging_config(level: str) -> dict[str, Any]:
    """Return Django's LOGGING setting. Raises ImproperlyConfigured for an unknown level."""
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
            # Its lines hold names and addresses; `access.password_sign_in` logs sign-ins instead.
            "axes": {"level": "CRITICAL"},
            "django.request": {"level": "ERROR", "filters": ["only_exceptions"]},
            # Our own lines say the same; theirs name people, or repeat what the caller asked for.
            **{name: {"level": "CRITICAL"} for name in ("auth_backends", "edx_rbac", "social")},
            "edx_rest_framework_extensions": {"level": "CRITICAL"},
            # DEBUG would log the query strings of our own requests.
            "urllib3": {"level": "INFO"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Set up both logging systems before any application is loaded (Django's LOGGING_CONFIG)."""
    logging.config.dictConfig(config)
    # No line names the place in the code, the thread or the process: finding them costs more than the line itself.
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
