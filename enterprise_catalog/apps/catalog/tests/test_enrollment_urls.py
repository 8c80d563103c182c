"""URLs of a catalog, with the worked examples of the contract (META-22, META-23, ENR-1..4)."""

from dataclasses import replace
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.rendering import enrollment_urls
from enterprise_catalog.apps.catalog.rendering.enrollment_urls import UrlContext

CUSTOMER = "6ae013d4-c5c4-474d-8da9-0e559b2448e2"
CATALOG = "7467c9d2-433c-4f7e-ba2e-c5c7798527b2"
RUN = "course-v1:edX+DemoX+1T2026"

PORTAL = UrlContext(
    lms_root="https://lms.example.org",
    portal_root="https://enterprise.example.org",
    ecommerce_root="https://ecommerce.example.org",
    catalog_uuid=CATALOG,
    customer_uuid=CUSTOMER,
    portal_slug="acme",
    customer_slug="acme",
    utm=enrollment_urls.utm_parameters("Acme, Inc."),
    audit=False,
)
LMS = replace(PORTAL, portal_slug=None)


def test_portal_course():  # ENR-1, example 1
    url = enrollment_urls.course_enrollment_url(PORTAL, course_key="edX+DemoX", advertised_run_key=RUN)
    assert url == "https://enterprise.example.org/acme/course/edX+DemoX?utm_medium=enterprise&utm_source=acme-inc"


def test_portal_run_with_audit():  # ENR-1, example 2
    url = enrollment_urls.run_enrollment_url(replace(PORTAL, audit=True), run_key=RUN, course_key="edX+DemoX")
    assert url == (
        "https://enterprise.example.org/acme/course/edX+DemoX?audit=true"
        "&course_run_key=course-v1%3AedX%2BDemoX%2B1T2026&utm_medium=enterprise&utm_source=acme-inc"
    )


def test_lms_course_uses_its_advertised_run():  # ENR-2, example 3
    expected = (
        f"https://lms.example.org/enterprise/{CUSTOMER}/course/{RUN}/enroll/"
        f"?catalog={CATALOG}&utm_medium=enterprise&utm_source=acme-inc"
    )
    assert enrollment_urls.course_enrollment_url(LMS, course_key="edX+DemoX", advertised_run_key=RUN) == expected
    assert enrollment_urls.run_enrollment_url(LMS, run_key=RUN, course_key="edX+DemoX") == expected


def test_lms_course_without_advertised_run():  # ENR-2, example 4
    url = enrollment_urls.course_enrollment_url(
        replace(LMS, audit=True), course_key="edX+DemoX", advertised_run_key=None
    )
    assert url == (
        f"https://lms.example.org/enterprise/{CUSTOMER}/course/edX+DemoX/enroll/"
        f"?audit=true&catalog={CATALOG}&utm_medium=enterprise&utm_source=acme-inc"
    )


@given(st.text(min_size=1))
def test_any_key_survives_its_url(run):
    """A run's key can be decoded from its URL, which needs no escaping in JSON (META-23)."""
    portal, lms = (
        enrollment_urls.run_enrollment_url(context, run_key=run, course_key="edX+DemoX") for context in (PORTAL, LMS)
    )
    assert dict(parse_qsl(urlsplit(portal).query, keep_blank_values=True))["course_run_key"] == run
    assert unquote(lms.partition("/course/")[2].partition("/enroll/?")[0]) == run
    for url in (portal, lms):
        assert url.isascii()
        assert not set(url) & {'"', "\\"}


def test_old_keys_keep_their_slashes():
    """Slashes stay unencoded, as the LMS and proxies expect them (ENR-1, ENR-2)."""
    run = "MITx/6.00x/2012_Fall"
    assert f"/course/{run}/enroll/?" in enrollment_urls.run_enrollment_url(LMS, run_key=run, course_key="MITx/6.00x")
    assert "/acme/course/MITx/6.00x?" in enrollment_urls.run_enrollment_url(
        PORTAL, run_key=run, course_key="MITx/6.00x"
    )


def test_exec_ed_on_the_portal():  # ENR-3, example 5
    url = enrollment_urls.exec_ed_enrollment_url(PORTAL, course_key="GetSmarter+AI", sku="ABC1234")
    assert url == (
        "https://enterprise.example.org/acme/executive-education-2u/course/GetSmarter+AI"
        "?utm_medium=enterprise&utm_source=acme-inc"
    )


def test_exec_ed_without_portal_goes_through_proxy_login():  # ENR-4, example 6
    url = enrollment_urls.exec_ed_enrollment_url(LMS, course_key="GetSmarter+AI", sku="ABC1234")
    assert url == (
        "https://lms.example.org/enterprise/proxy-login/?enterprise_slug=acme"
        "&next=https%3A%2F%2Fecommerce.example.org%2Fexecutive-education-2u%2Fcheckout"
        "%3Fsku%3DABC1234%26utm_medium%3Denterprise%26utm_source%3Dacme-inc"
    )


@pytest.mark.parametrize(
    ("context", "sku"), [(LMS, None), (replace(LMS, customer_slug=None), "ABC1234")], ids=["no sku", "no slug"]
)
def test_exec_ed_that_cannot_be_bought(context, sku):  # ENR-4
    assert enrollment_urls.exec_ed_enrollment_url(context, course_key="GetSmarter+AI", sku=sku) is None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme, Inc.", "acme-inc"),
        ("Université Lyon 1", "universite-lyon-1"),
        ("A_B & C--D", "a_b-c-d"),
        ("--Trim_me_", "trim_me"),
        ("数学", ""),
    ],
)
def test_utm_source_is_a_slug_of_the_name(name, slug):  # META-22
    assert enrollment_urls.utm_parameters(name)["utm_source"] == slug


def test_a_name_without_slug_sends_no_source():  # META-22
    context = replace(PORTAL, utm=enrollment_urls.utm_parameters("数学"))
    url = enrollment_urls.course_enrollment_url(context, course_key="edX+DemoX", advertised_run_key=None)
    assert url == "https://enterprise.example.org/acme/course/edX+DemoX?utm_medium=enterprise"


def test_a_name_without_slug_leaves_no_other_source():
    """The `utm_source` of discovery is removed, since it names somebody else (META-22, META-23)."""
    context = replace(PORTAL, utm=enrollment_urls.utm_parameters("数学"))
    for rest in ("", "&x=1"):
        merged = enrollment_urls.with_utm(context, f"https://www.example.org/?utm_source=worker{rest}")
        assert merged == f"https://www.example.org/?utm_medium=enterprise{rest}"


@pytest.mark.parametrize(
    ("url", "merged"),
    [
        (
            "https://www.example.org/course/demo?utm_source=worker&utm_medium=affiliate&x=1&y=",
            "https://www.example.org/course/demo?utm_medium=enterprise&utm_source=acme-inc&x=1",
        ),
        (
            "https://www.example.org/course/demo?utm_source=worker&utm_medium=affiliate&utm_source",
            "https://www.example.org/course/demo?utm_medium=enterprise&utm_source=acme-inc",
        ),
        (
            "https://www.example.org/course/demo?utm%5Fsource=worker#part",
            "https://www.example.org/course/demo?utm_medium=enterprise&utm_source=acme-inc#part",
        ),
        ("/relative/course", "/relative/course?utm_medium=enterprise&utm_source=acme-inc"),
        (
            "https://www.example.org/a+b:c?z=1 2&a=%2B#part",
            "https://www.example.org/a+b:c?a=%2B&utm_medium=enterprise&utm_source=acme-inc&z=1+2#part",
        ),
        (
            "https://www.example.org/?b=2&b=1",
            "https://www.example.org/?b=2&b=1&utm_medium=enterprise&utm_source=acme-inc",
        ),
    ],
)
def test_merging_parameters(url, merged):  # META-23
    assert enrollment_urls.with_utm(PORTAL, url) == merged


@given(
    st.text(alphabet="ab0/:@.%~?#&=[]é \\\t-", max_size=12), st.sampled_from(["http://", "https://", "HTTPS://", ""])
)
def test_only_the_parameters_of_a_url_change(rest, scheme):  # META-23
    if url := enrollment_urls.parsable_url(f"{scheme}{rest}"):
        before, hash_sign, fragment = url.partition("#")
        merged = enrollment_urls.with_utm(PORTAL, url)
        assert merged.startswith(f"{before.partition('?')[0]}?")
        assert merged.endswith(f"{hash_sign}{fragment}")
        assert merged.count("#") == url.count("#")
        assert enrollment_urls.with_utm(PORTAL, merged) == merged


@given(st.text(max_size=10))
def test_a_run_key_is_encoded_as_a_parameter(key):  # ENR-1
    url = enrollment_urls.run_enrollment_url(PORTAL, run_key=key, course_key="edX+DemoX")
    assert f"?course_run_key={quote_plus(key)}&" in url
