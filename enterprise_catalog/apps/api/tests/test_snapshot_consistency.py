"""
An answer shows all of the old members or all of the new ones, also in its headers, whenever a publish happens (P2,
ADD-2). The tests publish before the first statement of a request, then before the second one, and so on.
"""

from contextlib import contextmanager
from itertools import count
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata
from enterprise_catalog.apps.catalog.reading import containment
from enterprise_catalog.apps.catalog.reading.page_offsets import CHECKPOINT_INTERVAL
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import CUSTOMER_UUID, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of, store
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory, publish_members
from enterprise_catalog.testing.runs import claimed, keys, make_query, store_courses

pytestmark = pytest.mark.django_db

SIZE = CHECKPOINT_INTERVAL + 30
ALL = keys(SIZE + 20)
ASKED = ALL[:12]
FORCED, OTHER = "edX+Forced", "edX+Other"


def listed(catalog, query, **headers):
    return learner().get(f"{path_of(catalog, 'get_content_metadata/')}?page_size=10&{query}", headers=headers)


def asked(catalog, query):
    return listed(catalog, f"{query}&{urlencode({'content_keys': ASKED}, doseq=True)}")


def asked_of_many(catalog):
    return learner().post(f"{path_of(catalog, 'get_content_metadata/')}?page_size=100", {"content_keys": ALL})


ASKS = {
    "first page": lambda it: listed(it, ""),
    "deep page": lambda it: listed(it, f"page={CHECKPOINT_INTERVAL // 10 + 1}"),
    "last page": lambda it: listed(it, "page=last"),
    "page of those asked for": lambda it: asked(it, "page=1"),
    "last of those asked for": lambda it: asked(it, "page=last"),
    "page of many asked for": asked_of_many,
}


@pytest.fixture
def catalog(monkeypatch):
    monkeypatch.setattr(containment, "_KEYS_PER_STATEMENT", 50)
    store(*map(course_document, ALL))
    return make_catalog(*ALL[:SIZE])


def publish(catalog, content_keys):
    query = CatalogQuery.objects.get(pk=catalog.catalog_query_id)
    publish_members(query, *ContentMetadata.objects.filter(pk__in=content_keys))


@contextmanager
def before_statement(number, change):
    """Yields what is true once it has happened."""
    happened, statements = [], count(1)

    def watch(execute, *statement):
        if next(statements) == number and not happened:
            happened.append(number)
            change()
        return execute(*statement)

    with connection.execute_wrapper(watch):
        yield happened


def answer_of(response):
    state = [response.get(f"X-Catalog-{name}") for name in ("Generation", "Refreshed-At")]
    return response.status_code, response.content, state


def assert_of_one_moment(ask, change):
    for number in count(1):
        with transaction.atomic():
            old = answer_of(ask())
            with before_statement(number, change) as happened:
                answer = answer_of(ask())
            new = answer_of(ask())
            transaction.set_rollback(True)
        if not happened:
            break
        assert old != new
        assert answer in (old, new), number
    assert number > 2


@pytest.mark.parametrize("change", [slice(5, SIZE - 15), slice(SIZE + 20)], ids=["fewer", "more"])
@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_page(catalog, ask, change):  # COM-7, META-4, META-5
    assert_of_one_moment(lambda: ask(catalog), lambda: publish(catalog, ALL[change]))


def test_a_page_the_caller_may_hold(catalog):  # COM-18
    etag = listed(catalog, "page=last")["ETag"]

    def ask():
        return listed(catalog, "page=last", **{"If-None-Match": etag})

    assert ask().status_code == 304
    assert_of_one_moment(ask, lambda: publish(catalog, ALL[5:]))


@pytest.fixture
def forced():
    """A catalog with a course that its filter forces in, which the store knows as inactive."""
    run = {"key": f"course-v1:{FORCED}+1T", "status": "unpublished", "availability": "Archived"}
    document = course_document(FORCED, course_runs=[run])
    store_courses(document, course_document(OTHER))
    query = make_query()
    override = WantedOverride(FORCED, pack(document), forced=True, allowed_runs=frozenset())
    publish_or_hold(claim=claimed(query), content_keys=[FORCED, OTHER], counts={}, overrides=[override])
    return EnterpriseCatalogFactory(enterprise_uuid=CUSTOMER_UUID, catalog_query=query)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/enterprise-catalogs/{uuid}/get_content_metadata/?content_keys=edX%2BForced&content_keys=edX%2BOther",
        "/api/v1/enterprise-customer/{customer}/content-metadata/edX+Forced/",
    ],
)
def test_what_a_filter_shows_in_its_own_way(forced, path):  # REFR-19, META-5, CUST-5
    def change():
        publish_or_hold(claim=claimed(forced.catalog_query), content_keys=[OTHER], counts={}, overrides=[])

    url = path.format(uuid=forced.uuid, customer=forced.enterprise_uuid)
    assert_of_one_moment(lambda: learner().get(url), change)


@pytest.mark.parametrize("path", ["", f"{ALL[0]}/", f"?content_identifiers={ALL[0]}&content_identifiers={ALL[1]}"])
def test_content_that_is_pruned(path):  # CM-1, CM-2
    store(*map(course_document, ALL[:2]))
    url = f"/api/v1/content-metadata/{path}"
    assert_of_one_moment(lambda: learner().get(url), ContentMetadata.objects.filter(pk=ALL[0]).delete)
