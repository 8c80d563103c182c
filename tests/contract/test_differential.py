"""
The running service against a second implementation of the contract: same data, same questions, equal answers.

The oracle was written from the contract only. Another seed gives another world and other questions:
`DIFFERENTIAL_SEED=7 python -m pytest tests/contract/test_differential.py`.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from tests.contract.oracle.odd_discovery import OddDiscovery
from tests.contract.oracle.odd_world import OddWorld
from tests.contract.oracle.oracle import Oracle
from tests.contract.oracle.questions import Question, Questioner
from tests.contract.oracle.world import Catalog
from tests.contract.session import PATIENCE_SECONDS, Session
from tests.whole_service import whole_service

pytestmark = pytest.mark.mariadb

SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))
SINGLES = 6


def test_every_answer_is_the_oracles(tmp_path):
    """Sections 4.3 to 4.6 and 5 without writes; REFR-11 to REFR-19, DISC-14."""
    odd = OddWorld(SEED)
    with (
        OddDiscovery(odd.world) as discovery,
        whole_service(variables=discovery.variables(), directory=tmp_path) as service,
    ):
        operator = Session(service.url, discovery.token("operator", "enterprise_openedx_operator:*"))
        catalogs_modified = {catalog.uuid: _create(operator, catalog) for catalog in odd.catalogs}
        service.run("celery", "-A", "enterprise_catalog", "call", "refresh.sweep_reviews")
        questioner = Questioner(
            Oracle(odd.world, odd.catalogs, lms=discovery.url),
            items_modified=_items_modified(operator),
            catalogs_modified=catalogs_modified,
            random=Random(SEED),
        )
        listings = list(questioner.listings())
        # Customers and reviews are copied in the background.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _differences(operator, listings) and time.monotonic() < deadline:
            time.sleep(0.5)
        differences = _differences(operator, [*listings, *questioner.questions(singles=SINGLES)])
    assert not differences, f"{len(differences)} answers differ, among them:\n" + "\n".join(differences[:20])


def _create(operator: Session, catalog: Catalog) -> str:
    """Create a catalog, wait until its query is published, and return when it was modified."""
    values = {
        "uuid": catalog.uuid,
        "title": catalog.title,
        "enterprise_customer": catalog.customer,
        "enterprise_customer_name": catalog.customer_name,
        "enabled_course_modes": [],
        "publish_audit_enrollment_urls": catalog.audit,
        "content_filter": catalog.content_filter,
    }
    created = operator.call("POST", "/api/v1/enterprise-catalogs/", status=201, json=values)
    path = f"/api/v1/enterprise-catalogs/{catalog.uuid}/refresh_metadata/"
    run = operator.wait_for(operator.call("POST", path)["async_task_id"])
    assert run["state"] == "published", run
    return created["catalog_modified"]


def _items_modified(operator: Session) -> dict[str, str]:
    """Return the times of modification by content key, from the list of all content (META-11)."""
    modified, page, more = {}, 1, True
    while more:
        answer = operator.call("GET", "/api/v1/content-metadata/", params={"page_size": 100, "page": page})
        for item in answer["results"]:
            modified[item["uuid" if item["content_type"] == "program" else "key"]] = item["content_last_modified"]
        page, more = page + 1, bool(answer["next"])
    return modified


def _differences(operator: Session, questions: Sequence[Question]) -> list[str]:
    """Yield a line for each answer that differs."""

    def differences(question: Question) -> Iterator[str]:
        response = operator.ask(question.method, question.path, params=question.parameters, json=question.body)
        answer = response.json()
        if response.status_code == 200 and "next" in answer:
            answer |= {name: bool(answer[name]) for name in ("next", "previous")}
        found = list(_compared((question.status, question.answer), (response.status_code, answer), ""))
        if found:
            yield f"{'; '.join(found[:3])} of {question.path} {question.parameters} {question.body or ''}"

    with ThreadPoolExecutor(4) as pool:
        return [line for lines in pool.map(lambda question: list(differences(question)), questions) for line in lines]


def _compared(expected: Any, got: Any, place: str) -> Iterator[str]:
    """Yield the differences of JSON values: `true` is not 1, and keys have any order (COM-14)."""
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        for key, value in expected.items():
            yield from _compared(value, got[key], f"{place}.{key}")
    elif isinstance(expected, list | tuple) and isinstance(got, list | tuple) and len(expected) == len(got):
        for number, (value, other) in enumerate(zip(expected, got, strict=True)):
            yield from _compared(value, other, f"{place}[{number}]")
    elif expected != got or isinstance(expected, bool) != isinstance(got, bool):
        if isinstance(expected, dict) and isinstance(got, dict):
            expected, got = (sorted(one.keys() - other.keys()) for one, other in ((expected, got), (got, expected)))
        yield f"{place} is {str(got)[:300]}, expected {str(expected)[:300]}"
