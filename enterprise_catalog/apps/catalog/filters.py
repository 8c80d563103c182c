"""
Content filters: their published hash, which of them make discovery do the same work, and what is wrong with them.

Pure functions over JSON values. A filter that looks wrong is warned about and never refused or changed, because discovery ignores what it
does not know and clients rely on getting that result (QRY-8); only what could not be stored or sent is refused (COM-16).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class UnusableFilter(ValueError):
    """The filter cannot be stored; the text is for the caller."""


@dataclass(frozen=True)
class FilterWarning:
    """A key of a filter that does not do what it seems to."""

    code: str
    key: str


def check_content_filter(value: object) -> dict[str, Any]:
    """The filter, decoded if it came as the text of a JSON object. Raises UnusableFilter."""
    raise NotImplementedError


def content_filter_hash(content_filter: dict[str, Any]) -> str:
    """The published hash (HASH-1). Clients compute it, too."""
    raise NotImplementedError


def equivalence_key(content_filter: dict[str, Any]) -> str:
    """Equal for filters that one fetch can serve (HASH-2)."""
    raise NotImplementedError


def filter_warnings(content_filter: dict[str, Any]) -> list[FilterWarning]:
    """What a caller should know about this filter, by key."""
    raise NotImplementedError


def warning_header(warnings: Sequence[FilterWarning]) -> str | None:
    """The value of `X-Catalog-Filter-Warning`, or None when there is nothing to warn of."""
    raise NotImplementedError
