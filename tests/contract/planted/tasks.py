"""Tasks that fail."""

import os
import signal

from celery import shared_task

from tests.contract import planted


@shared_task(name="planted.bug")
def bug() -> None:
    raise planted.InTask(planted.SECRETS)


@shared_task(name="planted.writing")
def writing() -> None:
    planted.write_past_logging()


@shared_task(name="planted.killed")
def killed() -> None:
    """Kill the process, as the kernel does without memory."""
    os.kill(os.getpid(), signal.SIGKILL)
