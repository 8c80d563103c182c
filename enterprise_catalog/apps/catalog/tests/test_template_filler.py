"""Filling templates for one catalog, also templates that an older version rendered (META-10 to META-16)."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering import enrollment_urls
from enterprise_catalog.apps.catalog.rendering.item_template import GAP, render_template
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller, url_context
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

PORTAL, LMS = True, False
MODIFIED = "2026-01-01T00:00:00.000000"
# Also characters that have to be encoded in a URL or escaped in JSON.
KEYS = st.text(alphabet='ab0+:._~-/ é"\\%&', min_size=1, max_size=8)
URLS = st.text(alphabet='ab/?#&=%"\\é ', max_size=8).map("https://www.example.org/{}".format) | st.sampled_from(
    [None, "", "https://www.example.org/a?utm_source=x&utm_medium=y", "https://www.example.org/a?utm_source=x&b=1"]
)


def catalog_and_customer(*, portal: bool, audit: bool = False):
    catalog = EnterpriseCatalog(
        uuid=UUID(int=1),
        enterprise_uuid=UUID(int=2),
        enterprise_name="Acme, Inc.",
        publish_audit_enrollment_urls=audit,
        modified=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return {"catalog": catalog, "customer": EnterpriseCustomer(slug="acme", enable_learner_portal=portal)}


def template(key="edX+DemoX", *, runs=("course-v1:edX+DemoX+1T2026",), advertised=0, url=None):
    item = {"content_type": "course", "key": key, "marketing_url": url}
    item["course_runs"] = [{"key": run, "uuid": f"run {number}"} for number, run in enumerate(runs)]
    item["advertised_course_run_uuid"] = f"run {advertised}"
    return render_template(item, content_key=key, modified=MODIFIED)


def as_version_5(rendered: bytes) -> bytes:
    """The template with the two more fields of the header that version 5 wrote."""
    header, item = rendered.split(GAP, 1)
    return orjson.dumps(orjson.loads(header) | {"plain": True, "page": "https://www.example.org/a"}) + GAP + item


@given(
    key=KEYS,
    runs=st.lists(KEYS, max_size=3),
    advertised=st.integers(0, 3),
    url=URLS,
    portal=st.booleans(),
    audit=st.booleans(),
)
def test_a_course_of_any_keys_and_url(key, runs, advertised, url, portal, audit):
    """URLs in the item are those of `enrollment_urls`, whatever has to be encoded (META-13, META-16, META-23)."""
    names = catalog_and_customer(portal=portal, audit=audit)
    fill, context = TemplateFiller(**names), url_context(**names)
    rendered = template(key, runs=runs, advertised=advertised, url=url)
    item = orjson.loads(fill(rendered))
    assert item["key"] == key
    assert item.get("marketing_url") == (enrollment_urls.with_utm(context, url) if url else url)
    assert item["enrollment_url"] == enrollment_urls.course_enrollment_url(
        context, course_key=key, advertised_run_key=runs[advertised] if advertised < len(runs) else None
    )
    assert [(run["key"], run["parent_content_key"], run["enrollment_url"]) for run in item["course_runs"]] == [
        (run, key, enrollment_urls.run_enrollment_url(context, run_key=run, course_key=key)) for run in runs
    ]
    assert fill(as_version_5(rendered)) == fill(rendered)


@pytest.mark.parametrize(
    ("name", "portal", "urls"),
    [
        ("LMS_ROOT_URL", PORTAL, ["xapi_activity_id"]),
        ("LMS_ROOT_URL", LMS, ["enrollment_url", "xapi_activity_id", "run"]),
        ("ENTERPRISE_LEARNER_PORTAL_BASE_URL", PORTAL, ["enrollment_url", "run"]),
    ],
)
def test_an_address_with_something_to_escape(settings, name, portal, urls):  # META-14, META-16
    root = 'https://example.org/"quoted"'
    setattr(settings, name, root)
    fill, rendered = TemplateFiller(**catalog_and_customer(portal=portal)), template()
    item = orjson.loads(fill(rendered))
    item["run"] = item["course_runs"][0]["enrollment_url"]
    assert [key for key in ("enrollment_url", "xapi_activity_id", "run") if item[key].startswith(root)] == urls
    assert fill(as_version_5(rendered)) == fill(rendered)
