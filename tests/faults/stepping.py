"""
Run a worker that stops at one step of its refresh: `celery -A tests.faults.stepping worker`.

The service's own code runs. STOP_AT names the step. STOP_MARK is the file that gets the process id once it is there;
the worker continues when a file of that name with `.go` exists. Afterwards no worker stops any more.
"""

import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import django

# Steps are functions of modules with models, which want Django first.
django.setup()

from enterprise_catalog.apps.catalog.storage import content_store  # noqa: E402
from enterprise_catalog.apps.refresh.pipeline import outcomes, runner  # noqa: E402
from enterprise_catalog.celery import app as app  # noqa: E402

# In the order in which a refresh comes by, each with what has just been done.
STEPS: dict[str, tuple[Any, str]] = {
    "claimed": (runner, "claim_next"),
    "fetched": (runner, "fetch_for_claims"),
    "stored in part": (content_store, "_store_batch"),
    "stored": (runner, "store_contents"),
    "about to publish": (runner, "_report_quarantined"),
    "published, not committed": (outcomes, "apply_difference"),
    "committed": (runner, "publish_or_hold"),
}


def _stay(mark: Path) -> None:
    # Whoever sees the file finds all of it.
    draft = mark.with_suffix(".draft")
    draft.write_text(str(os.getpid()))
    draft.rename(mark)
    while not mark.with_suffix(".go").exists():
        time.sleep(0.02)


def _staying(work: Callable[..., Any], mark: Path) -> Callable[..., Any]:
    @wraps(work)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        result = work(*arguments, **named)
        # A worker that finds nothing to claim is at no step.
        if result != [] and not mark.exists():
            _stay(mark)
        return result

    return wrapper


if os.environ.get("VISIBILITY_TIMEOUT"):
    # After so many seconds Redis delivers again what a dead worker had taken; an hour is the default.
    app.conf.broker_transport_options = {"visibility_timeout": int(os.environ["VISIBILITY_TIMEOUT"])}
if os.environ.get("STOP_AT"):
    _module, _name = STEPS[os.environ["STOP_AT"]]
    setattr(_module, _name, _staying(getattr(_module, _name), Path(os.environ["STOP_MARK"])))
    # So that little content makes more than one batch.
    content_store._BATCH_ROWS = 5
