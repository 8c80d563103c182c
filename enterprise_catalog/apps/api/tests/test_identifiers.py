"""
Every surface understands an identifier alike: by generated stores and identifiers against one model (CONT-1, META-5,
FILT-1, LEG-12, CUST-5, CM-1, CM-2, COM-12).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import CUSTOMER_UUID, operator
from enterprise_catalog.testing.catalogs import LEGACY, legacy_path_of, make_catalog, path_of, store
from enterprise_catalog.testing.properties import examples
from enterprise_catalog.testing.runs import claimed, make_query

pytestmark = pytest.mark.django_db

# Few names, so that contents often meet: the same uuid, the same run in several courses.
COURSES = ["edX+A", "edX/B/2014", "edX+C,D"]
RUNS = ["course-v1:edX+A+1T", "edX/B/2014/2T"]
UUIDS = [str(UUID(int=0xABCDEF << 96 | number)) for number in range(2)]
UNKNOWN = ["edX+Nobody", str(UUID(int=0xFEDCBA << 96))]
QUERIES = 2


@dataclass(frozen=True)
class Content:
    kind: str
    key: str
    uuid: str | None = None
    parent: str | None = None
    restricted: bool = False
    # Keys of nested runs, and whether they are restricted.
    nested: dict[str, bool] = field(default_factory=dict)
    queries: frozenset[int] = frozenset()

    @property
    def document(self) -> dict[str, Any]:
        restriction = {"restriction_type": "custom-b2b-enterprise"}
        document: dict[str, Any] = {
            "aggregation_key": f"{self.kind}:{self.parent or self.key}",
            "content_type": self.kind,
            "uuid": self.uuid,
        }
        if self.kind in ("course", "courserun"):
            document["key"] = self.key
        if self.kind == "course":
            document["course_runs"] = [
                {"key": key} | (restriction if restricted else {}) for key, restricted in self.nested.items()
            ]
        return document | (restriction if self.restricted else {})


def held_by() -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(0, QUERIES - 1))


UUID_OR_NONE = st.sampled_from([None, *UUIDS, *UUIDS])
CONTENTS = st.one_of(
    st.builds(
        partial(Content, "course"),
        st.sampled_from(COURSES),
        uuid=UUID_OR_NONE,
        nested=st.dictionaries(st.sampled_from(RUNS), st.sampled_from([False, False, True])),
        queries=held_by(),
    ),
    st.builds(
        partial(Content, "courserun"),
        st.sampled_from(RUNS),
        uuid=UUID_OR_NONE,
        parent=st.sampled_from(COURSES),
        restricted=st.sampled_from([False, False, True]),
        queries=held_by(),
    ),
    *(
        st.builds(lambda uuid, queries, kind=kind: Content(kind, uuid, uuid, queries=queries), uuids, held_by())
        for kind, uuids in (("program", st.sampled_from(UUIDS)), ("learnerpathway", st.sampled_from(UUIDS)))
    ),
)
STORES = st.lists(CONTENTS, min_size=3, max_size=7, unique_by=lambda content: content.key)

SPELLINGS = [str, str.upper, str.swapcase, lambda text: text.replace("+", " "), lambda text: text.replace("-", "")]
SPELLINGS += [lambda text: text.replace("-", "").upper()]
NAMES = st.builds(
    lambda name, spell: spell(name), st.sampled_from([*COURSES, *RUNS, *UUIDS, *UNKNOWN]), st.sampled_from(SPELLINGS)
)
IDENTIFIERS = st.one_of(NAMES, NAMES, st.lists(st.one_of(NAMES, st.just("")), min_size=2, max_size=3).map(",".join))


# --- The model -------------------------------------------------------------------------------------------------------


def terms(text: str) -> list[str]:
    """The whole text, then its parts."""
    return [text, *(text.split(",") if "," in text else [])]


def forms(term: str) -> list[str]:
    """The keys that a term may be."""
    try:
        is_uuid = len(term) in (32, 36) and UUID(term)
    except ValueError:
        is_uuid = False
    return [term, str(UUID(term))] if is_uuid else [term]


class Model:
    """What a store answers, in the order in which its contents were stored."""

    def __init__(self, contents: list[Content]) -> None:
        self.contents = contents

    def shown(self, query: int | None = None) -> list[Content]:
        """What v1 shows of all contents, or of the members of a query."""
        found = [content for content in self.contents if query is None or query in content.queries]
        return [content for content in found if not content.restricted]

    def courses_of(self, run: str, query: int) -> list[Content]:
        """The member courses that contain a run, those that it names itself first."""
        named = {row.parent for row in self.shown() if row.key == run and row.kind == "courserun" and row.queries}
        courses = [member for member in self.shown(query) if member.kind == "course"]
        own = [course for course in courses if course.key in named]
        return own + [course for course in courses if course.nested.get(run) is False and course not in own]

    def members(self, query: int, key: str) -> list[Content]:
        """The members through which a key is contained."""
        found = [member for member in self.shown(query) if key in (member.key, member.parent)]
        return found + self.courses_of(key, query)

    def members_of_term(self, query: int, term: str) -> list[Content]:
        return [member for key in forms(term) for member in self.members(query, key)]

    def contains(self, query: int, identifier: str, *, all_parts: bool = False) -> bool:
        whole, *parts = (bool(self.members_of_term(query, term)) for term in terms(identifier))
        return whole or (bool(parts) and (all(parts) if all_parts else any(parts)))

    def found_by_keys(self, query: int, identifiers: list[str]) -> set[str]:
        """The keys of what get_content_metadata lists."""
        found: set[str] = set()
        for identifier in identifiers:
            whole, *parts = ({row.key for row in self.members_of_term(query, term)} for term in terms(identifier))
            found |= whole or {key for part in parts for key in part}
        return found

    def latest(self, contents: Iterable[Content]) -> Content | None:
        return max(contents, key=self.contents.index, default=None)

    def in_catalog(self, query: int, identifier: str) -> Content | None:
        """What a customer's catalog shows for an identifier (CUST-5)."""
        found = (content for term in terms(identifier) for content in self._in_catalog(query, term))
        return next(found, None)

    def _in_catalog(self, query: int, term: str) -> Iterator[Content]:
        keys = forms(term)
        others = [row.key for row in self.contents if row.uuid in keys and row.key not in keys]
        for rule in (self._own_course, self._course, self._itself):
            for names in (keys, others):
                # A run has one course of its own; of other equals the last stored one counts.
                best = self.latest(content for name in names for content in rule(query, name))
                if best:
                    yield best
        yield from sorted((row for row in self.shown(query) if row.parent in keys), key=lambda content: content.key)

    def _own_course(self, query: int, run: str) -> list[Content]:
        named = {row.parent for row in self.shown() if row.key == run and row.queries}
        return [course for course in self.courses_of(run, query) if course.key in named]

    def _course(self, query: int, run: str) -> list[Content]:
        return self.courses_of(run, query)

    def _itself(self, query: int, key: str) -> list[Content]:
        return [member for member in self.shown(query) if member.key == key]

    def bare(self, identifier: str, *, as_course: bool) -> list[Content]:
        """What content-metadata shows for an identifier, the first first (CM-1, CM-2)."""
        whole, *parts = (self._bare(term, as_course=as_course) for term in terms(identifier))
        return [whole] if whole else [content for content in parts if content]

    def _bare(self, term: str, *, as_course: bool) -> Content | None:
        keys = forms(term)
        named = [row for row in self.shown() if row.key in keys or row.uuid in keys]
        found = self._first(named, preferred=keys)
        if not as_course or (found and found.kind != "courserun"):
            return found
        run = found.key if found else term
        own = {found.parent} if found else set()
        courses = [row for row in self.shown() if row.kind == "course"]
        return self._first([row for row in courses if row.key in own or row.nested.get(run) is False], preferred=own)

    def _first(self, contents: list[Content], *, preferred: Iterable[str | None]) -> Content | None:
        """Those that a query holds come first, then those with a preferred key, then the last stored."""
        order = self.contents.index
        return min(contents, key=lambda row: (not row.queries, row.key not in preferred, -order(row)), default=None)


# --- The service -----------------------------------------------------------------------------------------------------


class Service:
    """The same store in the database, and every surface that takes identifiers."""

    def __init__(self, contents: list[Content]) -> None:
        for content in contents:
            store(content.document)
        self.catalogs = []
        for number in range(QUERIES):
            query = make_query({"key": [f"query {number}"]})
            keys = [content.key for content in contents if number in content.queries]
            publish_or_hold(claim=claimed(query), content_keys=keys, counts={})
            self.catalogs.append(make_catalog(query=query))
        self.client = operator()

    def get(self, path: str, **parameters: Any) -> Any:
        response = self.client.get(path, parameters)
        assert response.status_code in (200, 404), response.content
        return response.json() if response.status_code == 200 else None

    def contains(self, number: int, identifiers: list[str], **parameters: str) -> bool:
        path = path_of(self.catalogs[number], "contains_content_items/")
        return self.get(path, course_run_ids=identifiers, **parameters)["contains_content_items"]

    def legacy_contains(self, number: int, identifiers: list[str]) -> bool:
        path = legacy_path_of(self.catalogs[number], "contains_content_items/")
        return self.get(path, program_uuids=identifiers)["contains_content_items"]

    def containing(self, identifiers: list[str], *, api: str, **parameters: str) -> list[int]:
        path = f"/api/{api}/enterprise-customer/{CUSTOMER_UUID}/contains_content_items/"
        answer = self.get(path, course_run_ids=identifiers, get_catalog_list="true", **parameters)
        uuids = [str(catalog.uuid) for catalog in self.catalogs]
        assert answer["contains_content_items"] == bool(answer["catalog_list"])
        return [uuids.index(uuid) for uuid in answer["catalog_list"]]

    def legacy_customer_contains(self, identifiers: list[str]) -> bool:
        path = f"{LEGACY}enterprise-customer/{CUSTOMER_UUID}/contains_content_items/"
        return self.get(path, course_run_ids=identifiers)["contains_content_items"]

    def filtered(self, identifiers: list[str], numbers: list[int]) -> list[str]:
        body = {"content_keys": identifiers, "catalog_uuids": [self.catalogs[number].uuid for number in numbers]}
        path = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/filter_content_items/"
        return self.client.post(path, body).json()["filtered_content_keys"]

    def found_by_keys(self, number: int, identifiers: list[str]) -> list[str]:
        path = path_of(self.catalogs[number], "get_content_metadata/")
        return [key_of(item) for item in self.get(path, content_keys=identifiers)["results"]]

    def of_customer(self, identifier: str) -> str | None:
        path = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/content-metadata/{quote(identifier, safe='')}/"
        return key_of(self.get(path))

    def bare(self, identifier: str, **parameters: str) -> str | None:
        return key_of(self.get(f"/api/v1/content-metadata/{quote(identifier, safe='')}/", **parameters))

    def bare_list(self, identifiers: list[str], **parameters: str) -> list[str]:
        path = "/api/v1/content-metadata/"
        return [key_of(item) for item in self.get(path, content_identifiers=identifiers, **parameters)["results"]]


def key_of(item: dict[str, Any] | None) -> Any:
    return item and (item.get("key") or item["uuid"])


@examples(100)
@given(contents=STORES, identifiers=st.lists(IDENTIFIERS, min_size=1, max_size=4))
def test_all_surfaces_agree_with_the_model(contents, identifiers):
    with transaction.atomic():
        compare(Model(contents), Service(contents), identifiers)
        transaction.set_rollback(True)


def compare(model: Model, service: Service, identifiers: list[str]) -> None:
    texts = [text.replace(" ", "+") for text in identifiers]
    numbers = range(QUERIES)
    matching = {
        "any": [any(model.contains(number, text) for text in texts) for number in numbers],
        "all": [all(model.contains(number, text, all_parts=True) for text in texts) for number in numbers],
    }
    for match, expected in matching.items():
        assert [service.contains(number, identifiers, match=match) for number in numbers] == expected
        containing = [number for number in numbers if expected[number]]
        assert service.containing(identifiers, api="v1", match=match) == containing
        assert service.containing(identifiers, api="v2", match=match) == containing
    assert [service.legacy_contains(number, identifiers) for number in numbers] == matching["all"]
    assert service.legacy_customer_contains(identifiers) == any(matching["all"])
    for chosen in ([0], [1], [0, 1]):
        kept = [text for text in dict.fromkeys(texts) if any(model.contains(number, text) for number in chosen)]
        assert service.filtered(identifiers, chosen) == kept
    for number in numbers:
        assert service.found_by_keys(number, identifiers) == sorted(model.found_by_keys(number, texts))
    for as_course in (False, True):
        coerce = {"coerce_to_parent_course": str(as_course)}
        named = [model.bare(text, as_course=as_course) for text in texts]
        assert service.bare_list(identifiers, **coerce) == sorted({row.key for rows in named for row in rows})
        for identifier, rows in zip(identifiers, named, strict=True):
            assert service.bare(identifier, **coerce) == (rows[0].key if rows else None)
    for identifier, text in zip(identifiers, texts, strict=True):
        shown = (model.in_catalog(number, text) for number in numbers)
        assert service.of_customer(identifier) == next((content.key for content in shown if content), None)
