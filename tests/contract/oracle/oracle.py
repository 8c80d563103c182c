"""
Compute what the service must answer in the plain and slow way, from the contract and the documents alone.

It shares no code with the service and does not know its tables: every question walks over all documents again. Where
the contract leaves a choice, a comment says which one is taken.
"""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from tests.contract.oracle.courses import advertised, instant, is_active, normalized
from tests.contract.oracle.links import Links, with_parameters
from tests.contract.oracle.world import B2B, EXEC_ED, Catalog, Item, World, runs_of

Version = Literal[1, 2]
VERSIONS: tuple[Version, Version] = (1, 2)

# REFR-11
COURSE_TYPES = {
    "audit", "professional", "verified-audit", "credit-verified-audit", "masters", "masters-verified-audit", "verified",
    "spoc-verified-audit", "honor", "verified-honor", "credit-verified-honor", EXEC_ED,
}  # fmt: skip
# REFR-16
KEPT_FROM_SEARCH = {
    "course": {"aggregation_key", "content_type", "seat_types", "end_date", "course_ends", "languages"},
    "program": {"aggregation_key", "content_type"},
}
PRICE = "first_enrollable_paid_seat_price"


@dataclass(frozen=True)
class Member:
    kind: str
    key: str
    parent: str | None = None
    document: Item = field(default_factory=dict)
    forced: bool = False


class Oracle:
    """Answers for a world in which each query has published exactly once."""

    def __init__(self, world: World, catalogs: list[Catalog], *, lms: str) -> None:
        self.world = world
        self.catalogs = catalogs
        self._lms = lms
        self._published = {catalog.uuid: self._publish(catalog) for catalog in catalogs}
        self._visible = {(c.uuid, version): self._visible_members(c, version) for c in catalogs for version in VERSIONS}
        found = [member for members in self._published.values() for member in members.values()]
        # What a search returned says more of a course than that it was forced in.
        self._stored = {member.key: member for member in sorted(found, key=lambda member: not member.forced)}

    # --- What a query publishes ---------------------------------------------------------------------------------------

    def _publish(self, catalog: Catalog) -> dict[str, Member]:
        found = map(_member, self.world.searches[catalog.content_filter["org"]])
        members = {member.key: member for member in found if member}
        # A course that is forced in is its altered record, whether the search returned it as well or not (REFR-19).
        return members | {
            key: Member("course", key, forced=True) for key in catalog.forced if key in self.world.courses
        }

    # --- Who sees what ------------------------------------------------------------------------------------------------

    def members(self, catalog: Catalog, version: Version) -> dict[str, Member]:
        """Return the visible members in the order of their keys (COM-9)."""
        return self._visible[catalog.uuid, version]

    def _visible_members(self, catalog: Catalog, version: Version) -> dict[str, Member]:  # V2-2, V2-4
        published = self._published[catalog.uuid]
        return {
            key: member
            for key, member in sorted(published.items())
            if member.kind != "courserun"
            or member.document.get("restriction_type") is None
            or (_is_visible(member.document, member.parent, catalog, version) and member.parent in published)
        }

    def _nested_keys(self, course: Member, catalog: Catalog | None, version: Version) -> set[str]:
        """Return the runs in the documents of a course, before the trimming of REFR-13 (CONT-1.3)."""
        # The stored search document, also where it was another query that found it.
        document = self._stored[course.key].document
        records = [document, self.world.course(course.key, restricted=_is_mapped(course, catalog, version))]
        runs = [run for record in records for run in runs_of(record)]
        return {run["key"] for run in runs if run.get("key") and _is_visible(run, course.key, catalog, version)}

    def _courses_of(self, key: str, catalog: Catalog | None, version: Version) -> list[str]:
        """Return the courses of the run `key`, beginning with the one that it names itself."""
        stored = (self._published[catalog.uuid] if catalog else self._stored).values()
        row = self._stored.get(key)
        own = [row.parent] if row and row.parent and _is_visible(row.document, row.parent, catalog, version) else []
        courses = [member for member in stored if member.kind == "course"]
        return own + sorted(course.key for course in courses if key in self._nested_keys(course, catalog, version))

    def contains(self, catalog: Catalog, identifier: str, version: Version, *, all_parts: bool = False) -> bool:
        """Return whether the whole text is contained, or any or all of its parts (CONT-1)."""
        whole, *parts = _terms(identifier)
        found = [self._contains_term(catalog, part, version) for part in parts]
        return self._contains_term(catalog, whole, version) or (
            bool(found) and (all(found) if all_parts else any(found))
        )

    def _contains_term(self, catalog: Catalog, term: str, version: Version) -> bool:
        members = self.members(catalog, version)
        return any(
            key in members
            or any(key == member.parent for member in members.values())
            or any(course in members for course in self._courses_of(key, catalog, version))
            for key in _forms(term)
        )

    def listed(self, catalog: Catalog, version: Version, keys: list[str] | None = None) -> list[Member]:
        """The members a caller sees in lists: active ones, or those with these keys (META-4, META-5)."""
        members = self.members(catalog, version).values()
        if keys is None:
            return [m for m in members if m.kind != "course" or self.render(m, catalog, version)["active"]]
        asked: set[str] = set()
        for whole, *parts in map(_terms, keys):
            terms = [whole] if self._contains_term(catalog, whole, version) else parts
            asked.update(form for term in terms for form in _forms(term))
        wanted = asked | {course for key in asked for course in self._courses_of(key, catalog, version)}
        return [member for member in members if member.key in wanted or member.parent in asked]

    def look_up(self, catalog: Catalog, identifier: str, version: Version) -> Member | None:
        """Return the course of a run, or the member with this key, or the first run of a course (CUST-5)."""
        found = (self._look_up_term(catalog, term, version) for term in _terms(identifier))
        return next((member for member in found if member), None)

    def _look_up_term(self, catalog: Catalog, term: str, version: Version) -> Member | None:
        members = self.members(catalog, version)
        exact = [member for member in members.values() if self._is_named(member, term)]
        # A run is named by its uuid as by its key, wherever it is stored.
        stored = (row for row in self._stored.values() if row.kind == "courserun")
        names = [term, *(run.key for run in stored if self._is_named(run, term))]
        courses = [members[key] for name in names for key in self._courses_of(name, catalog, version) if key in members]
        runs = [member for member in members.values() if member.parent == term]
        return next(iter(courses + exact + runs), None)

    def bare(self) -> dict[str, Member]:
        """Return all content in the order of the keys (CM-2)."""
        return {
            key: member
            for key, member in sorted(self._stored.items())
            if member.kind != "courserun" or member.document.get("restriction_type") is None
        }

    def look_up_bare(self, identifier: str, *, coerce: bool) -> Member | None:  # CM-1
        return next(iter(self.look_up_all_bare(identifier, coerce=coerce)), None)

    def look_up_all_bare(self, identifier: str, *, coerce: bool) -> list[Member]:  # CM-2
        """Return what the whole text names, else what each of its parts names."""
        whole, *parts = (self._look_up_bare_term(term, coerce=coerce) for term in _terms(identifier))
        return [whole] if whole else [member for member in parts if member]

    def _look_up_bare_term(self, term: str, *, coerce: bool) -> Member | None:
        known = self.bare()
        exact = next((member for member in known.values() if self._is_named(member, term)), None)
        if not coerce or (exact and exact.kind != "courserun"):
            return exact
        courses = self._courses_of(exact.key if exact else term, None, 1)
        return next((known[key] for key in courses if key in known), None)

    def _is_named(self, member: Member, identifier: str) -> bool:
        """Return whether a text is the key, or the content uuid in any form (COM-3)."""
        forms = _forms(identifier)
        return member.key in forms or self._document(member, None, 1).get("uuid") in forms

    # --- One item -----------------------------------------------------------------------------------------------------

    def differs(self, member: Member, catalog: Catalog) -> bool:
        """Return whether the query shows the item in its own way (V2-7)."""
        return member.forced or member.key in catalog.allowed_runs

    def _document(self, member: Member, catalog: Catalog | None, version: Version) -> Item:
        """Return the item before anything is added (REFR-13 to REFR-19)."""
        document = _without_ended_runs(member.document)
        if member.kind == "program":
            return _overlaid("program", document, self.world.programs.get(member.key))
        if member.kind != "course":
            return document
        if not member.forced:
            mapped = _is_mapped(member, catalog, version)
            return _overlaid("course", document, self.world.course(member.key, restricted=mapped))
        # A query asks for one record of a course, with restricted runs if its filter names any.
        named = catalog is not None and member.key in catalog.allowed_runs
        record = self.world.course(member.key, restricted=named) or {}
        return (_forced(record) if catalog else record) | {
            "aggregation_key": f"course:{member.key}",
            "content_type": "course",
        }

    def render(self, member: Member, catalog: Catalog | None, version: Version, *, links: bool = True) -> Item:
        """
        Section 4.5, all but `content_last_modified`. No catalog: bare. Without links (CUST-6): none to enrollment.
        """
        item = deepcopy(self._document(member, catalog, version))
        item |= {"content_type": member.kind, "parent_content_key": member.parent}
        item["uuid" if member.kind == "program" else "key"] = member.key
        if isinstance(item.get("product_source"), str) and item["product_source"]:
            item["product_source"] = {"name": item["product_source"], "slug": None, "description": None}
        if member.kind == "program":
            item["enrollment_url"] = None
        if member.kind == "course":
            self._describe_course(item, member, catalog, version)
        if catalog is not None:
            self._link(item, member, Links(self.world, catalog, self._lms), enrollment=links)
        return item

    def _describe_course(self, item: Item, member: Member, catalog: Catalog | None, version: Version) -> None:
        held = member.key in self.world.courses
        mapped = held and _is_mapped(member, catalog, version)
        visible = [run for run in runs_of(item) if _is_visible(run, member.key, catalog, version)]
        self._advertise(item, member, mapped, visible)
        active = [run for run in visible if is_active(run, allowed=run.get("restriction_type") == B2B)]
        if isinstance(item.get("course_runs"), list) and (mapped or len(visible) < len(item["course_runs"])):
            # V2-5, V2-6
            visible.sort(key=lambda run: run.get("restriction_type") is not None)
            item["course_runs"] = visible
            item["course_run_keys"] = [run["key"] for run in visible]
            item["course_run_statuses"] = sorted({run["status"] for run in visible if run.get("status") is not None})
            if mapped:
                by_key = sorted(active, key=lambda run: run["key"].lower())
                first = next((run[PRICE] for run in by_key if PRICE in run), None)
                item[PRICE] = (advertised(item) or {}).get(PRICE) or first
        item["active"] = bool(active)
        for program in item.get("programs") or []:
            if isinstance(program, dict) and program.get("uuid"):  # META-36
                program |= {"content_type": "program", "aggregation_key": f"program:{program['uuid']}"}
        if held:
            item["normalized_metadata"] = normalized(item, advertised(item))
            item["normalized_metadata_by_run"] = {run["key"]: normalized(item, run) for run in runs_of(item)}
        if (review := self.world.reviews.get(member.key)) is not None:
            item["reviews_count"] = review["reviews_count"]
            item["avg_course_rating"] = float(review["avg_course_rating"])

    def _advertise(self, item: Item, member: Member, mapped: bool, visible: list[Item]) -> None:
        """A hidden run is not advertised (V2-2). The record without restricted runs knows another one (V2-5)."""
        shown = {run.get("uuid") for run in visible}
        named = {run.get("uuid") for run in [*runs_of(item), *runs_of(member.document)] if run.get("restriction_type")}
        hidden = named - shown
        if item.get("advertised_course_run_uuid") in hidden:
            item["advertised_course_run_uuid"] = None
        open_record = self.world.course(member.key, restricted=False) if mapped else None
        if open_record and advertised(item) is None and "advertised_course_run_uuid" in open_record:
            uuid = open_record["advertised_course_run_uuid"]
            item["advertised_course_run_uuid"] = None if uuid in hidden else uuid

    def _link(self, item: Item, member: Member, links: Links, *, enrollment: bool) -> None:  # META-12 to META-16
        if item.get("marketing_url"):
            item["marketing_url"] = with_parameters(item["marketing_url"], links.utm)
        if member.kind not in ("course", "courserun"):
            return
        item["xapi_activity_id"] = f"{self._lms}/xapi/activities/{member.kind}/{member.key}"
        if not enrollment:
            item["enrollment_url"] = None
        elif member.kind == "courserun":
            item["enrollment_url"] = links.run(member.key, course=member.parent or "")
        elif item.get("course_type") == EXEC_ED:
            item["enrollment_url"] = links.exec_ed(member.key, item.get("entitlements") or [])
        else:
            item["enrollment_url"] = links.course(member.key, advertised=(advertised(item) or {}).get("key"))
            for run in runs_of(item):
                run["parent_content_key"] = member.key
                run["enrollment_url"] = links.run(run["key"], course=member.key)


def _member(document: Item) -> Member | None:
    """Return the member, or None for documents that are skipped or quarantined (REFR-11, REFR-12, DISC-17)."""
    kind, _, rest = (document.get("aggregation_key") or "").partition(":")
    key = document.get("key") or document.get("uuid") or ""
    if (
        kind not in ("course", "courserun", "program", "learnerpathway")
        or not 0 < len(key) <= 255
        or key != key.strip()
    ):
        return None
    source = document.get("product_source")
    source = source.get("slug") if isinstance(source, dict) else source
    if source and source.lower() not in ("2u", "edx"):
        return None
    if kind == "course" and document.get("course_type") and document["course_type"] not in COURSE_TYPES:
        return None
    stored = {name: value for name, value in document.items() if name not in ("aggregation_uuid", "sort")}
    return Member(kind, key, rest if kind == "courserun" else None, stored)


def _is_visible(run: Item, course: str | None, catalog: Catalog | None, version: Version) -> bool:  # V2-1, V2-2
    kind = run.get("restriction_type")
    allowed = catalog.allowed_runs.get(course or "", []) if catalog and version == 2 else []
    return kind is None or (kind == B2B and run.get("key") in allowed)


def _is_mapped(course: Member, catalog: Catalog | None, version: Version) -> bool:
    return catalog is not None and version == 2 and course.key in catalog.allowed_runs


def _without_ended_runs(document: Item) -> Item:  # REFR-13
    now = datetime.now(UTC)
    kept = [run for run in runs_of(document) if not run.get("end") or instant(run["end"]) >= now]
    return document | {"course_runs": kept} if runs_of(document) else document


def _overlaid(kind: str, document: Item, record: Item | None) -> Item:  # REFR-16
    return document | {name: value for name, value in (record or {}).items() if name not in KEPT_FROM_SEARCH[kind]}


def _forced(record: Item) -> Item:  # REFR-19
    runs = [run | {"status": "published", "availability": "Current"} for run in runs_of(record)]
    return record | {
        "enterprise_force_included": True,
        "course_runs": runs or record.get("course_runs"),
        "course_run_statuses": ["published"] * len(runs),
    }


def _terms(identifier: str) -> list[str]:  # COM-12, CONT-1
    """Return the text, and its parts if it has commas."""
    text = identifier.replace(" ", "+")
    return [text, *(text.split(",") if "," in text else [])]


def _forms(text: str) -> list[str]:
    """Return the text, and the usual form of the uuid that it may be."""
    digits = text.replace("-", "").lower()
    is_uuid = len(text) in (32, 36) and re.fullmatch("[0-9a-f]{32}", digits) is not None
    return [text, str(UUID(digits))] if is_uuid else [text]
