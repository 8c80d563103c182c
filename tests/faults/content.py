"""
Hold a few courses, runs and programs of discovery, and find by a filter which of them a search returns.

The sandbox searches its documents; this reads the filter.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from enterprise_catalog.sandbox.sandbox import Sandbox
from tests.faults.model import Keys, as_list

LEVELS = ("Introductory", "Intermediate", "Advanced")
COURSES, PROGRAMS = 14, 2

# The second of a pair asks discovery the same as the first, and has another hash (HASH-2).
FILTERS: list[dict[str, Any]] = [
    {},
    {"content_type": "course"},
    {"content_type": ["course"]},
    {"level_type": ["Introductory", "Advanced"]},
    {"level_type": ["Advanced", "Introductory"]},
    {"content_type": "program"},
    {"key": [f"edX+C{number:02d}" for number in range(4, 12)]},
    {"level_type": "Intermediate", "content_type": "course"},
]


def course_key(number: int) -> str:
    return f"edX+C{number:02d}"


def run_key(number: int) -> str:
    return f"course-v1:{course_key(number)}+1T"


def program_key(number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"program {number}"))


def level(number: int) -> str:
    return LEVELS[number % 3]


def is_active(number: int) -> bool:
    return number % 5 != 4


# Everything there ever is, for questions about single keys.
ALL_COURSES = {course_key(number): run_key(number) for number in range(COURSES)}
ALL_KEYS = sorted(
    {*ALL_COURSES, *ALL_COURSES.values(), *(program_key(number) for number in range(PROGRAMS)), "edX+Unknown"}
)
INACTIVE = {course_key(number) for number in range(COURSES) if not is_active(number)}


def listed(members: Keys) -> Keys:  # META-4
    return members - INACTIVE


def contained(members: Keys) -> list[str]:
    """Return whether keys contain a key: a course contains its run, and a run its course (CONT-1)."""
    found = set(members)
    for course, run in ALL_COURSES.items():
        if course in members or run in members:
            found |= {course, run}
    return [key for key in ALL_KEYS if key in found]


@dataclass
class Content:
    """What the sandbox has now. Every second course's run is a document of its own, too."""

    sandbox: Sandbox
    present: set[int] = field(default_factory=set)
    edits: int = 0

    def __post_init__(self) -> None:
        self.sandbox.reset()
        for number in range(PROGRAMS):
            key = program_key(number)
            names = {"aggregation_key": f"program:{key}", "content_type": "program"}
            self.sandbox.upsert_search({**names, "uuid": key, "title": key, "type": "XSeries"})

    def become(self, wanted: set[int]) -> None:
        """Replace all courses by these."""
        for number in sorted(self.present - wanted):
            self.sandbox.remove(course_key(number))
            self.sandbox.remove(run_key(number))
        for number in sorted(wanted - self.present):
            self._add(number)
        self.present = set(wanted)

    def edit(self, number: int) -> None:
        """Change a course's documents, but not which filters find it."""
        self.edits += 1
        self._add(number, title=f"Edited {self.edits}")

    def _add(self, number: int, title: str = "A course") -> None:
        key = course_key(number)
        run = {"key": run_key(number), "is_enrollable": is_active(number), "status": "published", "is_marketable": True}
        facts = {"key": key, "uuid": str(uuid5(NAMESPACE_OID, key)), "title": title, "course_runs": [run]}
        names = {"aggregation_key": f"course:{key}", "content_type": "course", "level_type": level(number)}
        self.sandbox.upsert_search(names | facts)
        self.sandbox.upsert_record(facts)
        if number % 2 == 0:
            names = {"aggregation_key": f"courserun:{key}", "content_type": "courserun"}
            self.sandbox.upsert_search(names | {"key": run_key(number), "title": title})

    def found_by(self, content_filter: dict[str, Any]) -> Keys:
        """Return the documents that meet all conditions of a filter."""
        documents: list[tuple[str, str, int | None]]
        documents = [("course", course_key(number), number) for number in self.present]
        documents += [("courserun", run_key(number), number) for number in self.present if number % 2 == 0]
        documents += [("program", program_key(number), None) for number in range(PROGRAMS)]
        return frozenset(key for kind, key, number in documents if _passes(kind, number, content_filter))


def _passes(kind: str, number: int | None, content_filter: dict[str, Any]) -> bool:
    wanted = {name: as_list(value) for name, value in content_filter.items()}
    if "content_type" in wanted and kind not in wanted["content_type"]:
        return False
    if "level_type" in wanted and (number is None or kind != "course" or level(number) not in wanted["level_type"]):
        return False
    # A key is a phrase, which its runs hold as well (DISC-11).
    return "key" not in wanted or (number is not None and course_key(number) in wanted["key"])
