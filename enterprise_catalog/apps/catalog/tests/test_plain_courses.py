"""
META-10 to META-16, META-23: of plain courses nothing is encoded or escaped, and nobody sees a difference. Items that an
older version rendered do not say that they are plain.
"""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering.item_template import GAP, render_template
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

PORTAL, LMS = True, False
MOMENT = "2026-01-01T00:00:00.000000"


def linker(*, portal: bool, audit: bool = False, name: str = "Acme, Inc.") -> TemplateFiller:
    catalog = EnterpriseCatalog(
        uuid=UUID(int=1),
        enterprise_uuid=UUID(int=2),
        enterprise_name=name,
        publish_audit_enrollment_urls=audit,
        modified=datetime(2026, 1, 2, tzinfo=UTC),
    )
    customer = EnterpriseCustomer(slug="acme", enable_learner_portal=portal)
    return TemplateFiller(catalog=catalog, customer=customer)


def rendered(key="edX+DemoX", *, runs=("course-v1:edX+DemoX+1T2026",), advertised=0, url=None, **fields):
    item = {"content_type": "course", "key": key, "marketing_url": url} | fields
    item["course_runs"] = [{"key": run, "uuid": f"run {number}"} for number, run in enumerate(runs)]
    item["advertised_course_run_uuid"] = f"run {advertised}"
    return render_template(item, content_key=key, modified=MOMENT)


def facts_of(item: bytes):
    return orjson.loads(item.split(GAP)[0])


def as_before(item: bytes) -> bytes:
    """As version 4 rendered it."""
    facts = facts_of(item)
    del facts["plain"], facts["page"]
    return orjson.dumps(facts) + GAP + item.split(GAP, 1)[1]


KEYS = st.text(alphabet='ab0+:._~-/ é"\\%&', min_size=1, max_size=8)
URLS = st.text(alphabet='ab/?#&=%"\\é ', max_size=8).map("https://www.example.org/{}".format) | st.sampled_from(
    [None, "", "https://www.example.org/a?utm_source=x&utm_medium=y", "https://www.example.org/a?utm_source=x&b=1"]
)


@given(
    key=KEYS,
    runs=st.lists(KEYS, max_size=3),
    advertised=st.integers(0, 3),
    url=URLS,
    portal=st.booleans(),
    audit=st.booleans(),
)
def test_nobody_sees_what_is_plain(key, runs, advertised, url, portal, audit):
    link = linker(portal=portal, audit=audit)
    item = rendered(key, runs=runs, advertised=advertised, url=url)
    assert link(item) == link(as_before(item))
    assert orjson.loads(link(item))["key"] == key


@pytest.mark.parametrize("portal", [PORTAL, LMS])
def test_a_usual_course_is_plain(portal):
    item = rendered(url="https://www.example.org/demo?utm_source=discovery&utm_medium=partner")
    assert facts_of(item)["plain"]
    linked = orjson.loads(linker(portal=portal)(item))
    assert linked["marketing_url"] == "https://www.example.org/demo?utm_medium=enterprise&utm_source=acme-inc"
    assert linked["course_runs"][0]["parent_content_key"] == "edX+DemoX"
    run_key = "course-v1%3AedX%2BDemoX%2B1T2026" if portal else "course-v1:edX+DemoX+1T2026"
    assert run_key in linked["course_runs"][0]["enrollment_url"]


@pytest.mark.parametrize(
    "odd",
    [
        {"key": 'edX+"D"'},
        {"key": "edX+Dé"},
        {"runs": ["course-v1:edX+DemoX+1T2026", "edX/DemoX/1T 2026"]},
        {"url": "https://www.example.org/demo?color=red"},
        {"url": 'https://www.example.org/"demo"'},
        {"url": "https://www.example.org/demo#part"},
        {"course_type": "executive-education-2u"},
    ],
    ids=str,
)
def test_a_course_with_something_to_encode_is_not(odd):
    assert not facts_of(rendered(**odd))["plain"]


@pytest.mark.parametrize("portal", [PORTAL, LMS])
@pytest.mark.parametrize("name", ["LMS_ROOT_URL", "ENTERPRISE_LEARNER_PORTAL_BASE_URL"])
def test_an_address_with_something_to_escape(settings, name, portal):
    setattr(settings, name, 'https://example.org/"quoted"')
    item = rendered()
    assert orjson.loads(linker(portal=portal)(item)) == orjson.loads(linker(portal=portal)(as_before(item)))
