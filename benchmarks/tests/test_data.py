"""Tests of the plan of data: it is the same in every run."""

from collections import Counter

import pytest

from benchmarks import data
from benchmarks.data import HUNDRED, LARGE, LARGEST, make_plan
from benchmarks.questions import make_questions

COURSES = [f"org+course{number:05d}" for number in range(data.COURSES)]
PROGRAMS = [f"program-{number:03d}" for number in range(data.PROGRAMS)]


@pytest.fixture(scope="module")
def plan():
    return make_plan(courses=COURSES, programs=PROGRAMS)


def members(plan, title):
    if title == LARGEST:
        return COURSES
    query = next(query for query in plan.queries if query.title == title)
    return sorted(key.partition(":")[2] for key in query.content_filter["aggregation_key"])


def test_the_plan_is_the_same_in_every_run(plan):
    assert make_plan(courses=COURSES, programs=PROGRAMS) == plan


def test_customers_catalogs_and_queries(plan):
    assert (len(plan.customers), len(plan.catalogs), len(plan.queries)) == (200, 400, 150)
    assert {catalog.query for catalog in plan.catalogs} == {query.title for query in plan.queries}
    assert max(Counter(catalog.customer for catalog in plan.catalogs).values()) == data.CATALOGS_OF_ONE


def test_no_two_queries_ask_the_same(plan):
    filters = [str(query.content_filter) for query in plan.queries]
    assert len(set(filters)) == len(filters)


def test_sizes(plan):
    assert [len(members(plan, title)) for title in (LARGE, HUNDRED, "1000-0")] == [5000, 100, 1000]
    kinds = Counter(
        key.partition(":")[0] for query in plan.queries for key in query.content_filter.get("aggregation_key", [])
    )
    assert kinds.keys() == {"course", "courserun", "program"}


def test_each_question_is_asked_in_many_ways(plan):
    questions = make_questions(plan, lambda title: members(plan, title))
    assert len({question.name for question in questions}) == len(questions)
    for question in questions:
        alone = (
            question.name.startswith(("list", "one", "whole")) or question.name == f"page of 100, catalog of {HUNDRED}"
        )
        assert len(set(question.paths)) == len(question.paths)
        assert (len(question.paths) == 1) == alone
