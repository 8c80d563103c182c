"""
One JSON object per log line, for structlog and for every library that uses Python's logging alike.

Lines carry the request id and the user's id once they are known. They never carry tokens, names, addresses, or what a
caller asked about.
"""

import json
import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import Processor

_ENRICH: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def to_json(event: MutableMapping[str, Any], **_options: Any) -> str:
    """A line is never lost to what cannot be serialised: it is written less neatly instead."""
    try:
        return orjson.dumps(event, default=str).decode()
    except (TypeError, ValueError):
        return json.dumps({name: _as_plain(value) for name, value in event.items()})


def _as_plain(value: Any) -> str | int | float | None:
    if value is None or isinstance(value, str | int | float):
        return value
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _as_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    """The last processor of our own events: what is logged is the line."""
    return (to_json(event),), {"extra": {"is_line": True}}


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Makes lines of what libraries log. Ours are lines already: taking each apart again was half of its cost."""

    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage() if getattr(record, "is_line", False) else super().format(record)


class OnlyExceptions(logging.Filter):
    """
    Of Django's lines about answers, those with a stack, and without the path in them. The others say nothing that the
    request line does not say, which leaves it out.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = "unhandled_exception", ()
        return bool(record.exc_info)


def logging_config(level: str) -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": LineFormatter,
                "foreign_pre_chain": _ENRICH,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(serializer=to_json),
                ],
            }
        },
        "filters": {"only_exceptions": {"()": OnlyExceptions}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers print in DEBUG only and mail administrators.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"level": "ERROR", "filters": ["only_exceptions"]},
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
            structlog.processors.format_exc_info,
            _as_line,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
