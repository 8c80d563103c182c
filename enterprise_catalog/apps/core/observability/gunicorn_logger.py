"""
Let gunicorn log one JSON object per line, from the first line of its main process on.

gunicorn.conf.py names the class as `logger_class`.
"""

import logging
from typing import Any

from gunicorn.glogging import Logger

from enterprise_catalog.apps.core.observability.logging import LineFormatter, line_handler


class LineLogger(Logger):
    """gunicorn's logger with our formatter, for standard error and for the file of --error-logfile."""

    def _set_handler(self, log: logging.Logger, output: str | None, fmt: logging.Formatter, stream: Any = None) -> None:
        if output == "-":
            handler = line_handler()
            # gunicorn removes handlers with this mark on a reload.
            handler._gunicorn = True  # type: ignore[attr-defined]
            log.addHandler(handler)
        else:
            super()._set_handler(log, output, LineFormatter(), stream)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """
        Write nothing, whatever --access-logfile says.

        `core.middleware.request_log` writes a line per request, without the path and the query string.
        """
