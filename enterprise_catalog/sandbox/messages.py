"""
Requests as the endpoints see them, and answers before they are sent.

An answer stays a Python value as long as possible, so that faults can change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    raw_body: bytes
    headers: Mapping[str, str]
    client: str
    base_url: str

    def param(self, name: str) -> str | None:
        """The last value, as Django reads repeated parameters."""
        values = self.query.get(name)
        return values[-1] if values else None

    def url_with(self, **changes: Any) -> str:
        """This URL with some parameters replaced, in the order discovery's own links have."""
        query = {**self.query, **{name: [value] for name, value in changes.items()}}
        return f"{self.base_url}{self.path}?{urlencode(sorted(query.items()), doseq=True)}"


@dataclass(kw_only=True)
class Answer:
    status: int = 200
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    # Which page of a walk this is, by position; cursor pages are numbered too.
    page: int | None = None


def not_found(detail: str = "Not found.") -> Answer:
    return Answer(status=404, payload={"detail": detail})


def bad_request(detail: str) -> Answer:
    return Answer(status=400, payload={"detail": detail})
