"""
Turn what a service process prints into log lines: one JSON object each, on standard error (COM-16).

This applies to web, worker and beat, as soon as they run code of this service. Commands are for people and print as
usual. What the interpreter writes when it dies (a fatal error, `faulthandler`) cannot be changed.
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
# Text without an end of line is logged in pieces of this length, so that it cannot fill the memory.
_MAX_PENDING_CHARACTERS = 64 * 1024
_STACK = "Traceback (most recent call last):"


class PrintedLines(io.TextIOBase):
    """
    A text stream whose lines become log lines.

    Lines that are written in one piece become one log line. So do the lines of a stack, which are written one by one.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, name: str, *, level: int, descriptor: int) -> None:
        self._name = name
        self._level = level
        self._descriptor = descriptor
        self._handler = line_handler()
        # Threads write at the same time.
        self._of_thread = threading.local()

    def write(self, text: str) -> int:
        pending = getattr(self._of_thread, "pending", "") + text
        if len(pending) < _MAX_PENDING_CHARACTERS and (not pending.endswith("\n") or _is_unfinished_stack(pending)):
            self._of_thread.pending = pending
        else:
            self._of_thread.pending = ""
            self._log(pending)
        return len(text)

    def log_rest(self) -> None:
        self._log(getattr(self._of_thread, "pending", ""))
        self._of_thread.pending = ""

    def _log(self, text: str) -> None:
        if text.strip():
            record = logging.LogRecord(self._name, self._level, "", 0, text.strip("\n").rstrip(), None, None)
            self._handler.handle(record)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """Return the original descriptor, for code that passes the stream to another process."""
        return self._descriptor


def _is_unfinished_stack(text: str) -> bool:
    """Return whether the last line of a stack is missing, which is not indented and says what happened."""
    _, found, stack = text.rpartition(_STACK)
    return bool(found) and all(not line or line[0] == " " for line in stack.split("\n"))


def redirect_output_to_log() -> None:
    """
    Let this process write only log lines from now on.

    LOG_LEVEL of the environment applies until Django's settings are read. It may be called again, as gunicorn does when
    it reloads its configuration file.
    """
    if isinstance(sys.stderr, PrintedLines):
        return
    try:
        configure(logging_config(os.environ.get("LOG_LEVEL") or _DEFAULT_LEVEL))
    except ImproperlyConfigured:
        # Django's settings will refuse the level and say so.
        configure(logging_config(_DEFAULT_LEVEL))
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    for name, level_number in (("stdout", logging.INFO), ("stderr", logging.WARNING)):
        original: TextIO = getattr(sys, name)
        original.flush()
        # Referenced, because Python would close the file with the last reference to it.
        _originals.append(original)
        lines = PrintedLines(name, level=level_number, descriptor=original.fileno())
        atexit.register(lines.log_rest)
        setattr(sys, name, lines)
        setattr(sys, f"__{name}__", lines)


_originals: list[TextIO] = []


def print_line(text: object, *_stream: Any) -> None:
    """Write to `sys.stdout`. It replaces functions of libraries that write to the descriptor."""
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
