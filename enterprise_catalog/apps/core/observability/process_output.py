"""
What a service process prints, past logging, as log lines: one JSON object for each, on standard error (COM-16).

For web, worker and beat, from the first moment on that there is code of ours in them. Commands are for people and
print as ever. What the interpreter itself writes when it dies (a fatal error, `faulthandler`) stays as it is: nothing
of Python runs any more.
"""

import atexit
import io
import logging
import os
import sys
import threading
from types import TracebackType
from typing import Any, TextIO, cast

from django.core.exceptions import ImproperlyConfigured

from enterprise_catalog.apps.core.observability.logging import configure, line_handler, logging_config

_DEFAULT_LEVEL = "INFO"
# Somebody who prints without ever ending a line does not fill the memory.
_MAX_PENDING_CHARACTERS = 64 * 1024
_STACK = "Traceback (most recent call last):"


class PrintedLines(io.TextIOBase):
    """
    A stream of text, each line of which becomes a log line. Lines that come in one piece, and those of a stack, which
    are printed one by one, are one.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, name: str, *, level: int, descriptor: int) -> None:
        self._name = name
        self._level = level
        self._descriptor = descriptor
        self._handler = line_handler()
        # Threads print beside one another.
        self._of_thread = threading.local()

    def write(self, text: str) -> int:
        pending = getattr(self._of_thread, "pending", "") + text
        if len(pending) < _MAX_PENDING_CHARACTERS and (not pending.endswith("\n") or _is_unfinished_stack(pending)):
            self._of_thread.pending = pending
        else:
            self._of_thread.pending = ""
            self._tell(pending)
        return len(text)

    def tell_rest(self) -> None:
        self._tell(getattr(self._of_thread, "pending", ""))
        self._of_thread.pending = ""

    def _tell(self, text: str) -> None:
        if text.strip():
            record = logging.LogRecord(self._name, self._level, "", 0, text.strip("\n").rstrip(), None, None)
            self._handler.handle(record)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """For who passes the stream on to another process."""
        return self._descriptor


def _is_unfinished_stack(text: str) -> bool:
    """Its last line, which is not indented, says what happened."""
    _, found, stack = text.rpartition(_STACK)
    return bool(found) and all(not line or line[0] == " " for line in stack.split("\n"))


def lines_only() -> None:
    """
    From now on this process writes log lines and nothing else. LOG_LEVEL of the environment holds until Django's
    settings are read. May be called again, as gunicorn does that reads its configuration again.
    """
    if isinstance(sys.stderr, PrintedLines):
        return
    try:
        configure(logging_config(os.environ.get("LOG_LEVEL") or _DEFAULT_LEVEL))
    except ImproperlyConfigured:
        # Django's settings refuse it in a moment, and then there is somebody to say so.
        configure(logging_config(_DEFAULT_LEVEL))
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    for name, level_number in (("stdout", logging.INFO), ("stderr", logging.WARNING)):
        original: TextIO = getattr(sys, name)
        original.flush()
        # Kept: with the last reference to it, the file would be closed.
        _originals.append(original)
        lines = PrintedLines(name, level=level_number, descriptor=original.fileno())
        atexit.register(lines.tell_rest)
        setattr(sys, name, lines)
        setattr(sys, f"__{name}__", lines)


_originals: list[TextIO] = []


def say(text: object, *_stream: Any) -> None:
    """Print, in place of a function that writes to a descriptor past `sys.stdout`."""
    sys.stdout.write(f"{str(text).strip()}\n")


# --- Exceptions that nobody catches ----------------------------------------------------------------------------------

_log = logging.getLogger("uncaught")


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        _log.warning("interrupted")
        return
    _log.critical("unhandled_exception", exc_info=(kind, error, traceback))


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is SystemExit:
        return
    error = cast(BaseException, arguments.exc_value)
    _log.error("unhandled_exception_in_thread", exc_info=(arguments.exc_type, error, arguments.exc_traceback))


def _unraisable(arguments: "sys.UnraisableHookArgs") -> None:
    error = arguments.exc_value
    if error is not None:
        _log.error("unraisable_exception", exc_info=(arguments.exc_type, error, arguments.exc_traceback))
