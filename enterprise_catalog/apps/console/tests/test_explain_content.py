"""The command `explain_content` says where a key is, and why not (ADD-5)."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.console.display.sentences import utc_minute
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.catalogs import make_catalog, publish
from enterprise_catalog.testing.documents import course_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return make_catalog("edX+A", "edX+B", title="Engineering", enterprise_name="Umbrella")


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("explain_content", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[str, int, str]:
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("explain_content", *arguments, stdout=out)
    return str(refusal.value), refusal.value.returncode, out.getvalue()


def test_a_key_is_found_with_its_catalogs(catalog):  # ADD-5
    text = told("edX+A")
    assert "A course\n" in text
    assert f"catalog {catalog.uuid} (Engineering, Umbrella)" in text
    assert "yes, as itself, listed; since" in text
    assert text.endswith("1 catalog contains it.\n")


def test_a_run_is_found_by_its_course(catalog):  # ADD-5, CONT-1
    assert "yes, as a run of the course edX+A" in told("course-v1:edX+A+1T")


def test_a_catalog_that_does_not_contain_it_says_why(catalog):  # ADD-5
    publish(catalog.catalog_query, course_document("edX+B"))
    run = RefreshRun.objects.latest("requested_at")
    error, code, text = refused("edX+A", "--catalog", str(catalog.uuid))
    assert (error, code) == (f"Catalog {catalog.uuid} does not contain it.", 1)
    assert "not_returned:" in text
    assert f"({utc_minute(run.finished_at)}), run {run.pk}" in text


def test_a_key_that_is_nowhere(catalog):  # ADD-5
    error, code, text = refused("edx+a")
    assert (error, code) == ("No catalog contains it.", 1)
    assert "No search ever returned this key." in text


def test_an_unknown_catalog_is_wrong_usage(catalog):  # ADD-5
    uuid = uuid4()
    assert refused("edX+A", "--catalog", str(uuid))[:2] == (f"Unknown: catalog {uuid}.", 2)


def test_only_the_first_of_many_catalogs_are_shown(catalog, settings):  # ADD-5
    settings.PAGE_SIZE_MAX = 2
    for _ in range(2):
        make_catalog(query=catalog.catalog_query)
    text = told("edX+A")
    assert text.count("contained:") == 2
    assert "Only the first 2 of 3 catalogs are shown.\n3 catalogs contain it.\n" in text


@pytest.mark.parametrize("catalogs", [1, 20])
def test_what_it_asks_does_not_grow_with_the_catalogs(catalog, catalogs, django_assert_num_queries):  # ADD-5
    for _ in range(catalogs):
        make_catalog("edX+A")
    with django_assert_num_queries(20):
        told("edX+A")
