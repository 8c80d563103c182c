"""
Refresh from generated documents, and read every surface (V2-2, V2-5, P1, P7, DISC-8, DISC-17).

The documents are the real-shaped samples, with restricted runs that are repeated anywhere, odd values in any field and
doubles. No such document makes a surface show a restricted run, fails a refresh, or removes a member.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.testing.callers import CUSTOMER_UUID, admin, operator
from enterprise_catalog.testing.catalogs import legacy_path_of, make_catalog, path_of
from enterprise_catalog.testing.properties import examples
from enterprise_catalog.testing.runs import make_query, members, requested
from enterprise_catalog.testing.scripted_server import Asked, Reply, ScriptedServer
from tests import samples

pytestmark = pytest.mark.django_db

B2B, B2C = "custom-b2b-enterprise", "custom-b2c"
SEARCH, COURSES, PROGRAMS = "/api/v2/search/all/", "/api/v1/courses/", "/api/v1/programs/"


def sample(name: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = json.loads((Path(str(samples.__file__)).parent / name).read_text())["results"]
    return results


DOCUMENTS = [
    document
    for page in (1, 2)
    for document in sample(f"search_all_page_{page}.json")
    if document.get("key") or document.get("uuid")
]
RECORDS = {
    COURSES: {record["key"]: record for record in sample("courses_by_keys.json")},
    PROGRAMS: {record["uuid"]: record for record in sample("programs_by_uuids.json")},
}
for _record in RECORDS[COURSES].values():
    for _run in _record["course_runs"]:
        _run["restriction_type"] = None
# The course of each run that the samples have, of courses with full records.
COURSE_OF_RUN = {run["key"]: key for key, record in RECORDS[COURSES].items() for run in record["course_runs"]}
RUNS = st.sampled_from(sorted(COURSE_OF_RUN))

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


UNREADABLE = st.sampled_from([None, 7, True, ["course"], {"name": "edx"}, nested(120), "a\x01b"])
ODD_FIELDS = {
    # What decides where a document belongs is unreadable, and everything else is anything.
    "key": UNREADABLE | st.sampled_from(["edX Demo", " x", "k" * 300]),
    "aggregation_key": UNREADABLE.filter(lambda value: not isinstance(value, str)),
    "product_source": st.sampled_from([7, ["edx"], {"slug": ["edx"]}]),
    "course_type": st.sampled_from([7, ["audit"], {"slug": "audit"}]),
    **dict.fromkeys(
        (
            "title", "course_runs", "skills", "languages", "seat_types", "subjects", "organizations", "end_date",
            "steps", "course_ends", "modified", "marketing_url", "enrollment_url", "has_enrollable_seats", "active",
            "advertised_course_run_uuid", "courses", "level_type", "programs", "normalized_metadata",
        ),
        VALUES | st.just(nested(120)),
    ),
}  # fmt: skip
ODD = st.sampled_from(sorted(ODD_FIELDS)).flatmap(lambda field: st.tuples(st.just(field), ODD_FIELDS[field]))
OF_RECORDS = st.tuples(
    st.sampled_from(sorted(set(ODD_FIELDS) - {"key", "course_runs", "product_source", "course_type"})), VALUES
)


def run_copy(run_key: str, restriction: str | None, form: str) -> Any:
    """A run as some document repeats it."""
    run: dict[str, Any] = {"key": run_key}
    if restriction:
        run["restriction_type"] = restriction
    course = {"key": COURSE_OF_RUN[run_key], "course_runs": [run], "course_run_keys": [run_key]}
    return {
        "run": run,
        "runs": [run],
        "keys": [run_key, "course-v1:edX+Open+1T"],
        "course": course,
        "courses": [course, None],
        "program": [{"title": "P", "courses": [course]}],
    }[form]


FIELDS = st.sampled_from(["courses", "curricula", "programs", "steps", "x"])
WRAPPED = st.recursive(
    st.just("here"),
    lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(FIELDS, inner, min_size=1, max_size=2),
    max_leaves=3,
)


def filled(wrapping: Any, value: Any) -> Any:
    if isinstance(wrapping, list):
        return [filled(entry, value) for entry in wrapping]
    if isinstance(wrapping, dict):
        return {field: filled(entry, value) for field, entry in wrapping.items()}
    return copy.deepcopy(value)


class Discovery:
    """Documents and records as they are now, over HTTP. It leaks restricted runs wherever it can."""

    def __init__(self, server: ScriptedServer) -> None:
        self.search: list[dict[str, Any]] = []
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        server.answers[SEARCH] = [lambda asked: self._page(self.search)]
        server.answers[COURSES] = [lambda asked: self._records(asked, COURSES, "keys")]
        server.answers[PROGRAMS] = [lambda asked: self._records(asked, PROGRAMS, "uuids")]

    def _page(self, results: list[Any]) -> Reply:
        return Reply({"count": len(results), "next": None, "results": results})

    def _records(self, asked: Asked, path: str, parameter: str) -> Reply:
        wanted = asked.query.get(parameter, [""])[0].split(",")
        return self._page([record for key, record in self.records[path].items() if key in wanted])

    def restrict(self, restrictions: dict[str, str]) -> None:
        for document in (*self.search, *self.records[COURSES].values()):
            for run in document.get("course_runs") or []:
                run["restriction_type"] = restrictions.get(run["key"])
            if document.get("key") in restrictions:
                document["restriction_type"] = restrictions[document["key"]]

    def repeat(self, target: int, field: str, value: Any) -> None:
        documents = [*self.search, *self.records[COURSES].values(), *self.records[PROGRAMS].values()]
        documents[target % len(documents)][field] = value


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def discovery(server, settings) -> Discovery:
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0
    settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = uuid4().hex
    settings.DISCOVERY_INTERNAL_ROOT_URL = server.url
    settings.OAUTH2_PROVIDER_URL = f"{server.url}/oauth2"
    return Discovery(server)


def refreshed(query) -> RefreshRun:
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    query.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED, (run.reason_code, run.reason_detail)
    return run


def texts(catalog, run_keys) -> dict[str, str]:
    """What each surface shows of a catalog."""
    v1, v2, legacy = path_of(catalog), path_of(catalog).replace("/v1/", "/v2/"), legacy_path_of(catalog)
    customer = f"/api/v1/enterprise-customer/{CUSTOMER_UUID}/"
    paths = {
        "v1": f"{v1}get_content_metadata/?page_size=100",
        "v2": f"{v2}get_content_metadata/?page_size=100",
        "export": f"{v1}export.csv/",
        "legacy": f"{legacy}?page_size=100",
        "bare": "/api/v1/content-metadata/?page_size=100",
    }
    for key in RECORDS[COURSES]:
        paths[f"legacy course {key}"] = f"{legacy}courses/{key}/"
        paths[f"customer {key}"] = f"{customer}content-metadata/{key}/"
    for uuid in RECORDS[PROGRAMS]:
        paths[f"legacy program {uuid}"] = f"{legacy}programs/{uuid}/"
    shown = {}
    for name, path in paths.items():
        answer = (operator() if name == "bare" else admin()).get(path.replace("+", "%2B"))
        content = answer.getvalue()
        assert answer.status_code in (200, 404), (name, answer.status_code, content)
        shown[name] = content.decode()
    return shown


def contained(catalog, run_key: str, version: str) -> bool:
    path = path_of(catalog, "contains_content_items/").replace("/v1/", f"/{version}/")
    found: bool = admin().get(path, {"course_run_ids": run_key}).json()["contains_content_items"]
    return found


@examples(25, are_slow=True)
@given(
    restrictions=st.dictionaries(RUNS, st.sampled_from([B2B, B2B, B2C]), min_size=1, max_size=4),
    allowed=st.booleans(),
    copies=st.lists(
        st.tuples(
            st.integers(0, 30),
            st.sampled_from(["courses", "curricula", "steps", "programs", "extra", "canonical_course_run_key"]),
            st.sampled_from(["run", "runs", "keys", "course", "courses", "program"]),
            WRAPPED,
            st.booleans(),
        ),
        max_size=4,
    ),
    odd=st.dictionaries(st.integers(0, len(DOCUMENTS) - 1), ODD, max_size=3),
    odd_records=st.dictionaries(st.sampled_from(sorted(RECORDS[COURSES])), OF_RECORDS, max_size=2),
    doubles=st.lists(st.tuples(st.sampled_from(sorted(RECORDS[COURSES])), st.uuids()), max_size=2),
)
def test_generated_documents_show_nothing_restricted_and_remove_nobody(
    discovery, restrictions, allowed, copies, odd, odd_records, doubles
):  # V2-2, V2-5, P1, P7, DISC-8, DISC-17
    cache.clear()
    mark = transaction.savepoint()
    try:
        _check(discovery, restrictions, allowed, copies, odd, odd_records, doubles)
    finally:
        transaction.savepoint_rollback(mark)
        # Else SQLite keeps the savepoint, and each one makes all that follows slower.
        transaction.savepoint_commit(mark)


def _check(
    discovery: Discovery,
    restrictions: dict[str, str],
    allowed: bool,
    copies: list[tuple[int, str, str, Any, bool]],
    odd: dict[int, tuple[str, Any]],
    odd_records: dict[str, tuple[str, Any]],
    doubles: list[tuple[str, UUID]],
) -> None:
    discovery.search, discovery.records = copy.deepcopy(DOCUMENTS), copy.deepcopy(RECORDS)
    discovery.restrict(restrictions)
    mapping: dict[str, list[str]] = {}
    for run_key in restrictions if allowed else ():
        mapping.setdefault(COURSE_OF_RUN[run_key], []).append(run_key)
    visible_on_v2 = {run_key for run_key, restriction in restrictions.items() if allowed and restriction == B2B}
    query = make_query(
        {"content_type": ["course", "courserun", "program", "learnerpathway"]} | {"restricted_runs_allowed": mapping}
    )
    refreshed(query)
    before = set(members(query))
    catalog = make_catalog(query=query)
    _assert_hidden(catalog, restrictions, visible_on_v2)

    for target, field, form, wrapping, says_so in copies:
        for run_key, restriction in restrictions.items():
            value = run_copy(run_key, restriction if says_so else None, form)
            if says_so and form != "keys":
                discovery.repeat(target, field, filled(wrapping, value))
            else:
                # A course names its own runs by key alone; programs and pathways name those of others.
                _repeat_by_key(discovery, run_key, field, filled(wrapping, value))
    _spoil(discovery, odd)
    for key, (field, value) in odd_records.items():
        discovery.records[COURSES][key][field] = value
    for key, uuid in doubles:
        (original,) = (document for document in DOCUMENTS if document.get("key") == key)
        double = copy.deepcopy(original) | {"uuid": str(uuid)}
        for run in double["course_runs"]:
            run["restriction_type"] = restrictions.get(run["key"])
        discovery.search.append(double)
    refreshed(query)
    assert before <= set(members(query))
    _assert_hidden(catalog, restrictions, visible_on_v2)
    assert [violation for violation in violations(deep=True) if violation.rule != "customer-missing"] == []


def _spoil(discovery: Discovery, odd: dict[int, tuple[str, Any]]) -> None:
    for position, (field, value) in odd.items():
        document = discovery.search[position]
        if field == "key" and not document.get("uuid"):
            # Runs come without a uuid, so one without a readable key could be any run (P7).
            continue
        if field in document or field not in ("key", "course_type", "product_source"):
            document[field] = value


def _repeat_by_key(discovery: Discovery, run_key: str, field: str, value: Any) -> None:
    """
    Name a run by its key alone: in its course's record, in programs and in pathways.

    The legacy API is made of search documents, so it knows no more than these say. It lists no pathways (LEG-5).
    """
    pathways = [document for document in discovery.search if document["content_type"] == "learnerpathway"]
    course = discovery.records[COURSES][COURSE_OF_RUN[run_key]]
    for document in (*pathways, *discovery.records[PROGRAMS].values(), course):
        document[field] = value


def _assert_hidden(catalog, restrictions: dict[str, str], visible_on_v2: set[str]) -> None:
    for name, text in texts(catalog, restrictions).items():
        shown = {run_key for run_key in restrictions if f'"{run_key}"' in text}
        assert shown <= (visible_on_v2 if name == "v2" else set()), (name, shown)
    for run_key in restrictions:
        assert not contained(catalog, run_key, "v1")
        assert contained(catalog, run_key, "v2") is (run_key in visible_on_v2)
