"""How deeply a JSON value is nested: asked before anything that recurses into values of others, never by recursion."""

from typing import Any


def is_deeper_than(value: object, levels: int) -> bool:
    """Whether there are more lists and objects within one another than this."""
    layer: list[Any] = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _members(outer) if isinstance(inner, dict | list)]
    return bool(layer)


def _members(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container
