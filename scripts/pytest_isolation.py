"""A pytest plugin: parallel test processes share one Redis server, and never a queue or a cache in it.

Loaded by tox.ini with -p, because the settings read the environment before any conftest.py is seen. Databases need no
such care: the test runner names them after the process itself.
"""

import os
import re

DATABASES_PER_PROCESS = 2


def separate_redis_databases(worker: str) -> None:
    """gw0 keeps databases 0 and 1 of the server, gw1 gets 2 and 3, and so on (a Redis server has 16)."""
    number = int(worker.removeprefix("gw") or 0)
    for name in ("CELERY_BROKER_URL", "CACHE_URL"):
        match = re.fullmatch(r"(rediss?://.*/)(\d+)", os.environ.get(name, ""))
        if match:
            os.environ[name] = f"{match[1]}{int(match[2]) + DATABASES_PER_PROCESS * number}"


separate_redis_databases(os.environ.get("PYTEST_XDIST_WORKER", ""))
