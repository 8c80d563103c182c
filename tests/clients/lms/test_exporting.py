"""The exporters that carry a catalog to a customer's own learning system (CLI-3, CLI-5, CLI-14)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.apps import apps
from integrated_channels.integrated_channel.models import ContentMetadataItemTransmission

from tests.clients.lms.conftest import published, sandbox
from tests.clients.lms.people import make_catalog, make_query
from tests.clients.lms.platform import SANDBOX_URL

pytestmark = pytest.mark.django_db

CHANNELS = {
    "blackboard": "BlackboardEnterpriseCustomerConfiguration",
    "canvas": "CanvasEnterpriseCustomerConfiguration",
    "cornerstone": "CornerstoneEnterpriseCustomerConfiguration",
    "degreed": "DegreedEnterpriseCustomerConfiguration",
    "degreed2": "Degreed2EnterpriseCustomerConfiguration",
    "moodle": "MoodleEnterpriseCustomerConfiguration",
    "sap_success_factors": "SAPSuccessFactorsEnterpriseCustomerConfiguration",
}
# Release 8.18 cannot export any run to this one: it asks the standard library's `timezone` for the time.
WITHOUT_RUNS = {"sap_success_factors"}
# These read `key` of programs, which have none in discovery either, and log that it is missing.
WITHOUT_PROGRAMS = {"blackboard", "canvas", "cornerstone", "moodle"}


@pytest.fixture
def export(client, customer) -> Callable[[str], tuple[dict[str, Any], ...]]:
    """`export(channel)` as the nightly job does it; returns what to create, to update and to delete there."""
    configurations = {}

    def run(channel: str) -> tuple[dict[str, Any], ...]:
        if channel not in configurations:
            model = apps.get_model(channel, CHANNELS[channel])
            configurations[channel] = model.objects.create(enterprise_customer=customer, active=True)
        payloads = configurations[channel].get_content_metadata_exporter(client.user).export()
        for payload in payloads:
            for item in payload.values():
                note_transmission(item, deleted=payload is payloads[2])
        return payloads

    return run


@contextmanager
def discovery_refuses() -> Iterator[None]:
    """Discovery answers no search, so that no refresh is published."""
    url = f"{SANDBOX_URL}/sandbox/faults"
    answer = requests.post(url, json={"endpoint": "search", "status": 400}, timeout=10)
    answer.raise_for_status()
    yield
    requests.delete(url, timeout=10).raise_for_status()


def note_transmission(item, *, deleted: bool) -> None:
    """As the transmitter does when the other side has taken it."""
    now = datetime.now(UTC)
    item.remote_created_at = item.remote_created_at or now
    item.remote_deleted_at = now if deleted else None
    item.marked_for = None
    item.save()


def change(key: str, title: str) -> None:
    answer = requests.post(f"{SANDBOX_URL}/sandbox/edit", json={"key": key, "fields": {"title": title}}, timeout=10)
    answer.raise_for_status()


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_takes_every_item(client, customer, courses, export, channel):
    """Nothing that an exporter reads is missing; all of what generate_diff names can be fetched by key (CLI-14)."""
    kinds = ["course"] if channel in WITHOUT_RUNS else ["course", "courserun"]
    keys = [f"{kind}:{key}" for key in courses[10:14] for kind in kinds]
    keys += [f"program:{uuid}" for uuid in sandbox()["programs"][:2] if channel not in WITHOUT_PROGRAMS]
    catalog = published(make_catalog(customer, make_query({"aggregation_key": keys})))
    members = {item["content_key"] for item in client.get_catalog_diff(catalog, [])[0]}
    assert len(members) >= 6
    create, update, delete = export(channel)
    assert create.keys() == members
    assert all(item.channel_metadata and item.content_title for item in create.values())
    assert (update, delete) == ({}, {})


def test_only_what_changed_is_sent_again(customer, courses, content_filter, export):
    """`date_updated` moves for what changed, and for nothing else (CLI-5, DIFF-2, META-21)."""
    query = make_query(content_filter(20, 4))
    catalog = published(make_catalog(customer, query))
    create, _, _ = export("cornerstone")
    assert create.keys() == set(courses[20:24])
    published(catalog)
    assert export("cornerstone") == ({}, {}, {})

    title = f"Title {uuid4()}"
    change(courses[21], title)
    published(catalog)
    create, update, delete = export("cornerstone")
    assert (create, list(update), delete) == ({}, [courses[21]], {})
    assert update[courses[21]].content_title == title

    query.content_filter = content_filter(21, 4)
    query.save()
    published(catalog)
    create, update, delete = export("cornerstone")
    assert (list(create), update, list(delete)) == ([courses[24]], {}, [courses[20]])
    assert export("cornerstone") == ({}, {}, {})


def test_nothing_is_deleted_before_the_first_publish(customer, courses, content_filter, export, complaints):
    """A catalog that moved to a query without a publish refuses to compare, so the exporter sends nothing (DIFF-1)."""
    catalog = published(make_catalog(customer, make_query(content_filter(30, 3))))
    create, _, _ = export("cornerstone")
    assert len(create) == 3
    with discovery_refuses():
        catalog.enterprise_catalog_query = make_query(content_filter(31, 3))
        catalog.save()
        with pytest.raises(requests.HTTPError) as refused:
            export("cornerstone")
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (503, "60")
    assert "503 Server Error" in " ".join(complaints.take())
    transmitted = ContentMetadataItemTransmission.objects.filter(enterprise_customer=customer)
    assert transmitted.count() == 3
    assert not transmitted.exclude(marked_for=None, remote_deleted_at=None).exists()

    published(catalog)
    create, _, delete = export("cornerstone")
    assert (list(create), list(delete)) == ([courses[33]], [courses[30]])
