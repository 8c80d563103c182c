"""
How gunicorn logs: like everything else here, one JSON object per line, from the first line of its main process on.

Named by gunicorn.conf.py (`logger_class`).
"""

import logging
from typing import Any

from gunicorn.glogging import Logger

from enterprise_catalog.apps.core.observability.logging import LineFormatter, line_handler


class LineLogger(Logger):
    """gunicorn's logger, with our formatter wherever it writes: standard error, or the file of --error-logfile."""

    def _set_handler(self, log: logging.Logger, output: str | None, fmt: logging.Formatter, stream: Any = None) -> None:
        if output == "-":
            handler = line_handler()
            # gunicorn's mark of what it may take away again on a reload.
            handler._gunicorn = True  # type: ignore[attr-defined]
            log.addHandler(handler)
        else:
            super()._set_handler(log, output, LineFormatter(), stream)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """
        Nothing: the line of `core.middleware.request_log` says it, without the path and the query string
        (--access-logfile).
        """
