"""List the routes of the URLconf by walking it, so that tests of all routes cover new ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """A route. `prefix` is the part of its includes, `pattern` the rest; `parameters` are the names in its path."""

    name: str
    prefix: str
    pattern: str
    parameters: frozenset[str]

    @property
    def is_of_admin(self) -> bool:
        return (self.prefix + self.pattern).startswith("admin/")

    @property
    def is_way_into_admin(self) -> bool:
        """Return whether the route belongs to the sign-in, which `test_sign_in` tests."""
        return self.name in ("lms-sign-in", "lms-signed-in")


def all_routes() -> list[Route]:
    return list(_routes(get_resolver().url_patterns, namespace="", prefix=""))


def _routes(patterns: list[Any], *, namespace: str, prefix: str) -> Iterator[Route]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = ":".join(filter(None, [namespace, entry.namespace]))
            yield from _routes(entry.url_patterns, namespace=inner, prefix=prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            name = ":".join(filter(None, [namespace, entry.name]))
            yield Route(name, prefix, str(entry.pattern), frozenset(entry.pattern.converters))
