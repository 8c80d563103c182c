"""Limit how deeply a JSON value is nested, without recursion; called before code that recurses."""

from typing import Any


def is_deeper_than(value: object, levels: int) -> bool:
    """Return whether lists and objects are nested in more levels than this."""
    layer: list[Any] = [value]
    for _ in range(levels):
        layer = [inner for outer in layer for inner in _members(outer) if isinstance(inner, dict | list)]
    return bool(layer)


def _members(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container
