"""
Drop malformed messages instead of ending the worker.

Celery ends its worker over a body that no task can read, and returns the message to the broker, where it ends the next
worker: nobody would do any work until a human empties the queue (P5). Here it is logged and dropped, as Celery does
with other invalid messages. Messages carry no work, so nothing is lost.
"""

from collections.abc import Callable
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default

# Errors from reading a body of another form; errors of the broker's connection are others.
_MALFORMED = (TypeError, ValueError, LookupError, AttributeError)


def drop_malformed_messages(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Return Celery's default task strategy, which handles received messages, with malformed ones dropped."""
    take = default(task, app, consumer, **options)

    def take_or_drop(*arguments: Any, **named: Any) -> Any:
        try:
            return take(*arguments, **named)
        except _MALFORMED as error:
            raise InvalidTaskError(f"not a message of {task.name}: {type(error).__name__}") from error

    return take_or_drop
