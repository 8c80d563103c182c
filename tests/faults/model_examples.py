"""Run the examples of a model's state machine: the same ones every time, until all that matters came up."""

import os
from collections.abc import Collection, Mapping

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_RANDOM_EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))
_EXAMPLES_PER_ROUND = 10
_LEAST_ROUNDS, _MOST_ROUNDS = 2, 6


def run_examples(
    machine: type[RuleBasedStateMachine], *, steps: int, events: Mapping[str, int], wanted: Collection[str]
) -> None:
    """
    Run examples of so many steps. They prove little unless all wanted events came up, so rounds are added until they
    did. The seeds are numbers, because hypothesis would otherwise take other examples whenever a line of the machine
    changes.

    With `MODEL_EXAMPLES=200` in the environment, run as many random examples instead.
    """
    if _RANDOM_EXAMPLES:
        run_state_machine_as_test(machine, settings=_settings(_RANDOM_EXAMPLES, steps, [Phase.generate, Phase.shrink]))
        return
    missing = set(wanted)
    for number in range(_MOST_ROUNDS):
        seed(number)(machine)
        # Shortening a failure takes minutes.
        run_state_machine_as_test(machine, settings=_settings(_EXAMPLES_PER_ROUND, steps, [Phase.generate]))
        missing = {event for event in wanted if not events[event]}
        if number + 1 >= _LEAST_ROUNDS and not missing:
            break
    print(dict(sorted(events.items())))
    assert missing == set()


def _settings(examples: int, steps: int, phases: list[Phase]) -> settings:
    return settings(
        max_examples=examples,
        phases=phases,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
