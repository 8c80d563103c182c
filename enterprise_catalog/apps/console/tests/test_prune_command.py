"""The command `prune`, for deployments without beat (RUN-5)."""

from io import StringIO

import pytest
from django.core.management import call_command

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.tests.test_pruning import changes_of, run_of
from enterprise_catalog.testing.factories import CatalogQueryFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def old_rows():
    query = CatalogQueryFactory.create()
    run_of(query, days=100, documents=2)
    changes_of(query, 3, days=100)


def told(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_dry_run_deletes_nothing():
    expected = "1 run, 2 documents they had set aside and 3 changes would be deleted. Nothing was written."
    assert told("--dry-run") == [expected]
    assert RefreshRun.objects.exists()


def test_it_prints_what_it_deleted():  # RUN-5
    assert told() == ["1 run, 2 documents they had set aside and 3 changes deleted."]
    assert told() == ["0 runs, 0 documents they had set aside and 0 changes deleted."]


def test_it_goes_on_until_nothing_is_left(settings):
    settings.PRUNING_ROWS, settings.PRUNING_CHUNKS = 2, 1
    assert len(told()) == 2
    assert not RefreshRun.objects.exists()
