"""How workers treat messages that no task can read (P5)."""

from celery.utils.imports import symbol_by_name

from enterprise_catalog.apps.core.broker.task_strategy import drop_malformed_messages
from enterprise_catalog.celery import app


def test_every_task_drops_malformed_messages():
    """A worker resolves the name only when it starts, so a wrong one would show nowhere else."""
    tasks = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert tasks
    assert {symbol_by_name(task.Strategy) for task in tasks} == {drop_malformed_messages}
