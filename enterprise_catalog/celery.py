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
    """Whether this is a worker or beat. Other commands of celery (`inspect ping`) answer people."""
    context = get_current_context(silent=True)
    return context is not None and context.invoked_subcommand in ("worker", "beat")


def _without_banners() -> None:
    """They are drawn for terminals, and what a worker says to a signal passes by logging and `sys.stdout` alike."""
    from celery.apps import beat, worker

    worker.safe_say = process_output.say  # type: ignore[attr-defined]
    worker.Worker.emit_banner = lambda self: None  # type: ignore[method-assign]
    beat.Beat.banner = lambda self, service: ""  # type: ignore[method-assign]


if _is_service():
    process_output.lines_only()
    _without_banners()

app = Celery("enterprise_catalog")
app.Task.Strategy = "enterprise_catalog.apps.core.broker.task_strategy:drop_malformed_messages"
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_logging(loglevel: int, **_signal: Any) -> None:
    """
    Django's settings have set up logging already; with a receiver of this signal, celery leaves it so. LOG_LEVEL holds
    unless --loglevel is given, whose default is another.
    """
    context = get_current_context(silent=True)
    if context and context.get_parameter_source("loglevel") == ParameterSource.COMMANDLINE:
        logging.getLogger().setLevel(loglevel)
    # The pool of processes has a logger that by itself writes nowhere.
    pool = get_pool_logger()
    pool.propagate = True
    pool.setLevel(logging.ERROR)


@worker_ready.connect
def serve_figures(**_signal: Any) -> None:
    """In the worker's main process; its children count."""
    if settings.METRICS_PORT:
        # Not sooner: `core.observability.metrics` has to come first, and says why.
        from enterprise_catalog.apps.core.observability.metrics_server import serve_in_thread

        serve_in_thread(host=settings.METRICS_HOST, port=settings.METRICS_PORT)
