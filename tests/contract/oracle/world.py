"""Hold what discovery and the LMS know, and the catalogs."""

from dataclasses import dataclass, field
from typing import Any

Item = dict[str, Any]

EXEC_ED = "executive-education-2u"
EXEC_ED_MODE = "paid-executive-education"
UNREADABLE_PRICE = "on request"
B2B = "custom-b2b-enterprise"


@dataclass
class World:
    searches: dict[str, list[Item]] = field(default_factory=dict)
    """Search documents by the value of the filter's `org`."""
    courses: dict[str, Item] = field(default_factory=dict)
    """Full records with every run, restricted ones too."""
    leaky: set[str] = field(default_factory=set)
    """Courses whose records carry restricted runs although nobody asked for them."""
    programs: dict[str, Item] = field(default_factory=dict)
    reviews: dict[str, Item] = field(default_factory=dict)
    customers: dict[str, Item | None] = field(default_factory=dict)
    """None: the LMS answers errors about it. Not there: it lists no such customer."""

    def course(self, key: str, *, restricted: bool) -> Item | None:
        """Return the full record as discovery sends it, with or without `include_restricted` (DISC-18)."""
        record = self.courses.get(key)
        if not record or not runs_of(record) or restricted or key in self.leaky:
            return record
        return record | {"course_runs": [run for run in runs_of(record) if run.get("restriction_type") is None]}

    def customer(self, uuid: str) -> Item:
        return self.customers.get(uuid) or {}

    def names(self) -> set[str]:
        """Return all keys and uuids of items and nested runs."""
        documents = [document for found in self.searches.values() for document in found]
        rows = [
            row
            for document in [*documents, *self.courses.values(), *self.programs.values()]
            for row in [document, *runs_of(document)]
        ]
        return {row[name] for row in rows for name in ("key", "uuid") if row.get(name)}


@dataclass(frozen=True)
class Catalog:
    uuid: str
    title: str
    customer: str
    customer_name: str
    audit: bool
    content_filter: Item

    @property
    def allowed_runs(self) -> dict[str, list[str]]:
        """`restricted_runs_allowed` by course key without prefix; what is malformed is ignored (section 5)."""
        mapping = self.content_filter.get("restricted_runs_allowed")
        pairs = mapping.items() if isinstance(mapping, dict) else ()
        return {key.removeprefix("course:"): runs for key, runs in pairs if isinstance(runs, list)}

    @property
    def forced(self) -> list[str]:  # REFR-19
        keys = self.content_filter.get("enterprise_force_include_aggregation_keys") or []
        return [key.removeprefix("course:") for key in keys]


def runs_of(course: Item | None) -> list[Item]:
    return (course or {}).get("course_runs") or []
