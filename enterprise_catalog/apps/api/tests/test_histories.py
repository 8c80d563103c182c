"""
Under any sequence of events, readers of the change feed know a catalog's members (CHG-2, CHG-3), and nobody gets 304
for an answer that has changed (COM-18).
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.containment import find_matches
from enterprise_catalog.apps.catalog.storage.consistency import violations
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.discovery.records import CourseReview
from enterprise_catalog.apps.refresh.scheduling.course_reviews import store_reviews
from enterprise_catalog.testing.callers import learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document, run_document
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

COURSES = [f"edX+{letter}" for letter in "ABCD"]
RUNS = [f"course-v1:edX+{letter}+9T" for letter in "AB"]
QUESTIONS = [
    "get_content_metadata/",
    "get_content_metadata/?traverse_pagination=1",
    "get_content_metadata/?content_keys=edX%2BA",
    "get_content_metadata/?content_keys=course-v1:edX%2BA%2B9T",
]


class World:
    """A catalog, the queries it moves between, and everything that happens to them."""

    def __init__(self, seed: int) -> None:
        self.random, self.learner, self.operator = random.Random(seed), learner(), operator()
        self.catalog = make_catalog()
        EnterpriseCustomer.objects.create(uuid=self.catalog.enterprise_uuid, slug="acme")
        self.queries = [self.catalog.catalog_query, *(make_query({"key": [f"other {number}"]}) for number in range(2))]

    def happen(self) -> None:
        actions: list[Callable[[], None]] = [
            *[self.publish, self.publish, self.publish, self.move, self.edit, self.restrict, self.review],
            *[self.rename, self.follow_customer],
        ]
        self.random.choice(actions)()

    def document(self, key: str) -> dict[str, Any]:
        if key in RUNS:
            return run_document(key, "edX+A", restriction_type="custom-b2c" if self.random.random() < 0.3 else None)
        course = course_document(key, title=f"Title {self.random.randrange(3)}")
        return course | {"course_runs": []} if self.random.random() < 0.2 else course

    def some(self) -> list[dict[str, Any]]:
        return [self.document(key) for key in (*COURSES, *RUNS) if self.random.random() < 0.5]

    def publish(self) -> None:
        publish(self.random.choice(self.queries), *self.some())

    def move(self) -> None:
        query = self.random.choice(self.queries)
        body = {"catalog_query_uuid": str(query.uuid)}
        assert self.operator.patch(path_of(self.catalog), body).status_code == 200

    def edit(self) -> None:
        store(self.document(self.random.choice(COURSES)))

    def restrict(self) -> None:
        store(self.document(self.random.choice(RUNS)))

    def review(self) -> None:
        store_reviews([CourseReview("edX+A", self.random.randrange(3), 4.5)])

    def rename(self) -> None:
        body = {"title": f"Catalog {self.random.randrange(3)}"}
        assert self.operator.patch(path_of(self.catalog), body).status_code == 200

    def follow_customer(self) -> None:
        EnterpriseCustomer.objects.update(enable_learner_portal=self.random.random() < 0.5)

    def visible_members(self) -> set[str]:
        query_id = EnterpriseCatalog.objects.get().catalog_query_id
        matches = find_matches(query_ids=[query_id], keys=[*COURSES, *RUNS])
        return {match.member for match in matches}


class Follower:
    """Reads the feed now and then, a few changes at a time."""

    def __init__(self, world: World) -> None:
        self.learner, catalog_uuid = world.learner, world.catalog.uuid
        self.path = f"/api/v1/enterprise-catalogs/{catalog_uuid}/changes/"
        self.cursor: str | None = None
        self.known: set[str] = set()

    def read(self, page_size: int) -> None:
        url: str | None = f"{self.path}?page_size={page_size}" + (f"&since={self.cursor}" if self.cursor else "")
        while url:
            answer = self.learner.get(url).json()
            for change in answer["results"]:
                self.take(change["change"], change["content_key"])
            self.cursor, url = answer["cursor"], answer["next"]

    def take(self, change: str, key: str) -> None:
        """Nothing joins twice, and nothing leaves that is not there."""
        assert (change == "added") is (key not in self.known)
        self.known.symmetric_difference_update({key})


@pytest.mark.parametrize("seed", range(10))
def test_a_reader_of_the_feed_knows_the_members(seed):  # CHG-2, CHG-3
    world = World(seed)
    early, late = Follower(world), Follower(world)
    for _ in range(40):
        world.happen()
        if world.random.random() < 0.5:
            early.read(page_size=world.random.choice([1, 2, 100]))
            assert early.known == world.visible_members()
    late.read(page_size=3)
    assert late.known == world.visible_members()
    assert [str(violation) for violation in violations(deep=True)] == []


@pytest.mark.parametrize("seed", range(10))
def test_a_caller_who_gets_304_holds_the_current_answer(seed):  # COM-18
    world = World(seed)
    held: dict[str, tuple[str, bytes]] = {}
    for _ in range(40):
        for question in QUESTIONS:
            url = path_of(world.catalog, question)
            fresh = world.learner.get(url)
            body = b"".join(fresh.streaming_content) if fresh.streaming else fresh.content
            if question in held and held[question][0] == fresh["ETag"]:
                assert body == held[question][1]
            held[question] = fresh["ETag"], body
        world.happen()
    assert CatalogQuery.objects.count() == 3
