"""The Celery application: `celery -A enterprise_catalog worker` and `celery -A enterprise_catalog beat`."""

from celery import Celery

app = Celery("enterprise_catalog")
app.Task.Strategy = "enterprise_catalog.apps.core.messages:careful_strategy"
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
