"""Queries change when one of their members is rendered again (COM-18, META-19, META-21, CHG-2, V2-3)."""

import pytest

from enterprise_catalog.apps.catalog.models import (
    CatalogContentChange,
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    CourseReview,
    Visibility,
)
from enterprise_catalog.apps.catalog.rendering import item_template
from enterprise_catalog.apps.catalog.storage import content_store
from enterprise_catalog.testing.catalogs import publish
from enterprise_catalog.testing.catalogs import store as api_store
from enterprise_catalog.testing.documents import course_document, run_document
from enterprise_catalog.testing.factories import CatalogQueryFactory, publish_members
from enterprise_catalog.testing.runs import store_courses

pytestmark = pytest.mark.django_db


def holders(*document_sets):
    """One query for each set of documents, with these as members."""
    queries = []
    for documents in document_sets:
        store_courses(*documents)
        contents = [ContentMetadata.objects.get(pk=document["key"]) for document in documents]
        queries.append(CatalogQueryFactory.create())
        publish_members(queries[-1], *contents)
    return queries


def versions(*queries):
    return [CatalogQuery.objects.get(pk=query.pk).items_version for query in queries]


A, B = course_document("edX+A"), course_document("edX+B")


def test_a_changed_content_moves_the_items_version_of_its_queries_only():  # COM-18
    first, second, other = holders([A], [A, B], [B])
    store_courses(A | {"title": "changed"})
    assert versions(first, second, other) == [1, 1, 0]


def test_an_unchanged_content_moves_no_items_version():  # REFR-20
    (query,) = holders([A])
    store_courses(A)
    assert versions(query) == [0]


def test_a_review_moves_the_version_and_no_date():  # META-19
    holder, other = holders([A], [B])
    before = CatalogQuery.objects.get(pk=holder.pk).content_modified
    CourseReview.objects.create(course_key="edX+A", reviews_count=3, avg_course_rating=4.5)
    content_store.rerender_contents(["edX+A"])
    assert versions(holder, other) == [1, 0]
    assert CatalogQuery.objects.get(pk=holder.pk).content_modified == before


def test_a_new_rendering_moves_the_version_and_no_date(monkeypatch):  # COM-18
    """Stored items are rerendered one by one after a new RENDERING_VERSION, and pages change each time."""
    (query,) = holders([A])
    before = CatalogQuery.objects.get(pk=query.pk).content_modified
    monkeypatch.setattr(item_template, "RENDERING_VERSION", 99)
    store_courses(A)
    assert versions(query) == [1]
    assert CatalogQuery.objects.get(pk=query.pk).content_modified == before


def test_the_digest_is_that_of_the_item():  # COM-18
    holders([A])
    before = ContentMetadata.objects.get().rendered_digest
    CourseReview.objects.create(course_key="edX+A", reviews_count=3, avg_course_rating=4.5)
    content_store.rerender_contents(["edX+A"])
    assert len(before) == 32
    assert ContentMetadata.objects.get().rendered_digest != before


RUN = run_document("course-v1:edX+A+1T", "edX+A")


def test_a_member_that_becomes_hidden_leaves_and_joins_when_shown_again():  # CHG-2, V2-3
    query = CatalogQueryFactory.create()
    publish(query, RUN)
    CatalogContentChange.objects.all().delete()
    api_store(RUN | {"restriction_type": "custom-b2b-enterprise"})
    api_store(RUN)
    changes = CatalogContentChange.objects.values_list("catalog_query", "content_key", "content_type", "change")
    change = (query.pk, RUN["key"], "courserun")
    assert list(changes) == [(*change, "removed"), (*change, "added")]
    assert not CatalogContentChange.objects.exclude(enterprise_catalog=None).exists()


def test_a_course_that_becomes_inactive_stays_a_member():  # CHG-2: item edits are no changes
    (query,) = holders([A])
    store_courses(A | {"course_runs": []})
    assert CatalogContentKey.objects.get().visibility_v1 == Visibility.CONTAINED
    assert CatalogQuery.objects.get(pk=query.pk).count_v1 == 0
    assert not CatalogContentChange.objects.exists()
