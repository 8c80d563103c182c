"""
Define routes that match with and without their last slash, for every method (COM-1), and nothing else (COM-2).
"""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, register_converter
from django.urls.converters import StringConverter
from django.urls.resolvers import RoutePattern


class SlashTolerantRoute(RoutePattern):
    """A route with a last slash that also matches without it. A redirect instead would lose the body of a POST."""

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        return super().match(path if path.endswith("/") else f"{path}/")


class FormatConverter(StringConverter):
    """The suffix of a path that names a format (COM-4)."""

    regex = "json|xml"


register_converter(FormatConverter, "format")


def route(pattern: str, view: Callable[..., Any], *, name: str) -> URLPattern:
    """Return a URL pattern like Django's `path`, for a whole path that ends with a slash."""
    return URLPattern(SlashTolerantRoute(pattern, name=name, is_endpoint=True), view, {}, name)
