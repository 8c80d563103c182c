"""
Set how many examples a property test tries.

`make test` tries the same few every time. `MODEL_EXAMPLES=10000` in the environment tries as many random ones.
"""

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))


def examples(usual: int) -> settings:
    """Return the settings of a property test that usually tries this number of examples."""
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
