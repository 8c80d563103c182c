"""The Celery application: `celery -A enterprise_catalog worker` and `celery -A enterprise_catalog beat`."""

import logging
from typing import Any

from billiard.util import get_logger as get_pool_logger
from celery import Celery
from celery.signals import setup_logging, worker_ready
from click import get_current_context
from click.core import ParameterSource
from django.conf import settings

from enterprise_catalog.apps.core.observability import process_output


def _is_service() -> bool:
    """Return whether this is a worker or beat. Other commands of Celery (`inspect ping`) print for people."""
    context = get_current_context(silent=True)
    return context is not None and context.invoked_subcommand in ("worker", "beat")


def _remove_banners() -> None:
    """Remove start-up banners, and let a worker print its answers to signals through `sys.stdout`."""
    from celery.apps import beat, worker

    worker.safe_say = process_output.print_line  # type: ignore[attr-defined]
    worker.Worker.emit_banner = lambda self: None  # type: ignore[method-assign]
    beat.Beat.banner = lambda self, service: ""  # type: ignore[method-assign]


if _is_service():
    process_output.redirect_output_to_log()
    _remove_banners()

app = Celery("enterprise_catalog")
app.Task.Strategy = "enterprise_catalog.apps.core.broker.task_strategy:drop_malformed_messages"
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(loglevel: int, **_signal: Any) -> None:
    """
    Keep the logging that Django's settings have set up, which Celery does if this signal has a receiver.

    LOG_LEVEL applies unless --loglevel is given on the command line.
    """
    context = get_current_context(silent=True)
    if context and context.get_parameter_source("loglevel") == ParameterSource.COMMANDLINE:
        logging.getLogger().setLevel(loglevel)
    # The logger of the process pool has no handlers of its own.
    pool = get_pool_logger()
    pool.propagate = True
    pool.setLevel(logging.ERROR)


@worker_ready.connect
def serve_metrics(**_signal: Any) -> None:
    """Serve the metrics of this worker's processes from its main process."""
    if settings.METRICS_PORT:
        # Imported late, because `core.observability.metrics` must prepare the directory before prometheus_client loads.
        from enterprise_catalog.apps.core.observability.metrics_server import serve_in_thread

        serve_in_thread(host=settings.METRICS_HOST, port=settings.METRICS_PORT)
