"""
A message that makes no sense costs itself.

Celery ends its worker over a body that is no task's, and gives the message back to the broker, where it waits for the
next worker: until a human empties the queue, none would do any work (P5). Here it is logged and dropped, as celery does
with other senseless messages. Messages carry no work, so nothing is lost.
"""

from collections.abc import Callable
from typing import Any

from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default

# What it takes to read a body of another form; a broker that goes away is another matter.
_SENSELESS = (TypeError, ValueError, LookupError, AttributeError)


def drop_malformed_messages(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """A celery task strategy: how a worker takes a message of this task."""
    take = default(task, app, consumer, **options)

    def take_or_drop(*arguments: Any, **named: Any) -> Any:
        try:
            return take(*arguments, **named)
        except _SENSELESS as error:
            raise InvalidTaskError(f"not a message of {task.name}: {type(error).__name__}") from error

    return take_or_drop
