"""Previews on MariaDB and Redis whose worker is really killed (P5, P10)."""

import pytest

from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.services.filter_previews import preview_filter
from tests.faults.conftest import eventually

pytestmark = [pytest.mark.mariadb, pytest.mark.django_db(transaction=True)]


def now(preview: FilterPreview) -> FilterPreview:
    preview.refresh_from_db()
    return preview


def test_the_worker_of_a_preview_is_killed(workers, sandbox, saw):
    """Another worker does it again, from the start."""
    sandbox.add_fault(endpoint="search", page=2, delay=60)
    preview = preview_filter(content_filter={"content_type": "course"})
    # Nothing but the message tells this worker that there is work.
    worker = workers.start(has_beat=False)
    eventually(lambda: now(preview).requests_done == 1)
    workers.kill(worker)
    assert now(preview).state == "running"
    sandbox.clear_faults()
    workers.start()
    seconds = eventually(lambda: now(preview).state == "done")
    saw(f"done {seconds:.1f} s later, second attempt", recovery=seconds)
    assert (preview.attempts, unpack(preview.found_keys)) == (2, sandbox.dataset.course_keys())
