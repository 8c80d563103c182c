"""The Celery application: `celery -A enterprise_catalog worker` and `celery -A enterprise_catalog beat`."""

from typing import Any

from celery import Celery
from celery.signals import worker_ready
from django.conf import settings

app = Celery("enterprise_catalog")
app.Task.Strategy = "enterprise_catalog.apps.core.messages:careful_strategy"
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def serve_figures(**_signal: Any) -> None:
    """In the worker's main process; its children count."""
    if settings.METRICS_PORT:
        # Not sooner: `core.metrics` has to come first, and says why.
        from enterprise_catalog.apps.core.metrics_port import serve_in_thread

        serve_in_thread(host=settings.METRICS_HOST, port=settings.METRICS_PORT)
