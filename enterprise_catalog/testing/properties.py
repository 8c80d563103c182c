"""
Set how many examples a property test tries.

`make test` tries the same few every time. `MODEL_EXAMPLES=10000` in the environment tries as many random ones.
"""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))


def examples(usual: int, *, are_slow: bool = False) -> settings:
    """
    Return the settings of a property test that usually tries this number of examples. Slow ones are not shortened when
    they fail, which takes hundreds of tries.
    """
    phases = [Phase.explicit, Phase.generate]
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        phases=phases if are_slow else [*phases, Phase.shrink],
        database=None,
        deadline=None,
        # Examples are few, and each builds a store of its own.
        suppress_health_check=list(HealthCheck),
    )
