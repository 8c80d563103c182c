"""
The service calls discovery and the LMS at their internal addresses, and makes links of the public ones (LMS-1).

The internal address is the sandbox's. At the public one a server counts connections, and must see none.
"""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.core.http_client.client import with_public_links
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.apps.customers.sync import sync_due_customers
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.refresh.previews.preview_runner import preview_next
from enterprise_catalog.apps.refresh.scheduling.course_reviews import refresh_reviews_if_due
from enterprise_catalog.apps.services.filter_previews import preview_filter
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.testing.admin_clients import page
from enterprise_catalog.testing.callers import CUSTOMER_UUID, learner
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.testing.runs import requested
from enterprise_catalog.testing.scripted_server import ScriptedServer
from tests.sandbox_services import point_sign_in_at
from tests.security.environments import environment, run
from tests.security.test_no_calls import READS
from tests.security.test_sign_in import SERVICE, Person

PUBLIC = {"LMS_ROOT_URL": "https://lms.campus.example", "DISCOVERY_SERVICE_URL": "https://discovery.campus.example"}
INTERNAL = {"LMS_INTERNAL_ROOT_URL": "http://lms:8000", "DISCOVERY_INTERNAL_ROOT_URL": "http://discovery:8000"}
# Of these links are made; none is called. The last is the name of whoever signs tokens, not an address.
OF_LINKS = {*PUBLIC, "SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT", "JWT_ISSUER", "JWT_AUTH"}
SHOW = [
    "-c",
    "import django, json; django.setup(); from django.conf import settings;"
    "print(json.dumps({name: repr(getattr(settings, name)) for name in dir(settings) if name.isupper()}))",
]


def settings_with(**variables: str) -> dict[str, str]:
    outcome = run(SHOW, variables)
    assert outcome.code == 0, outcome.errors
    return json.loads(outcome.output)


@pytest.mark.parametrize("sign_in_root", [{}, {"SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT": PUBLIC["LMS_ROOT_URL"]}])
def test_no_setting_leads_calls_to_a_public_address(tmp_path, sign_in_root):  # LMS-1
    """Also where the addresses of tokens are written as below the public LMS."""
    shown = settings_with(**environment("production", directory=tmp_path) | PUBLIC | INTERNAL | sign_in_root)
    public = {name for name, value in shown.items() if any(root in value for root in PUBLIC.values())}
    assert public == OF_LINKS
    called = {name: shown[name].strip("'") for name in (*INTERNAL, "OAUTH2_PROVIDER_URL")}
    assert called == INTERNAL | {"OAUTH2_PROVIDER_URL": "http://lms:8000/oauth2"}
    assert shown["SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT"] == "'http://lms:8000'"


def test_without_internal_addresses_the_public_ones_are_called(tmp_path):  # LMS-1
    shown = settings_with(**environment("production", directory=tmp_path) | PUBLIC)
    assert {name: shown[name].strip("'") for name in INTERNAL} == dict(zip(INTERNAL, PUBLIC.values(), strict=True))
    assert shown["OAUTH2_PROVIDER_URL"] == "'https://lms.campus.example/oauth2'"


def test_another_provider_of_tokens_keeps_its_address(tmp_path):  # LMS-1
    """Its name begins like that of the LMS."""
    other = {"OAUTH2_PROVIDER_URL": "https://lms.campus.example.org/oauth2"}
    shown = settings_with(**environment("production", directory=tmp_path) | PUBLIC | INTERNAL | other)
    assert shown["OAUTH2_PROVIDER_URL"] == repr(other["OAUTH2_PROVIDER_URL"])


@pytest.fixture
def public(sandbox, settings):
    """Give discovery and the LMS a public address, at which a server counts connections."""
    with ScriptedServer() as server:
        settings.LMS_ROOT_URL = settings.DISCOVERY_SERVICE_URL = server.url
        yield server


@pytest.fixture
def catalog(public: ScriptedServer, sandbox: Sandbox) -> EnterpriseCatalog:
    """A published catalog. Discovery makes links of the address at which it is called, in fields and in texts."""
    link = f"{sandbox.url}/media/course.png"
    for key in sandbox.dataset.course_keys():
        sandbox.edit(key, image_url=link, card_image_url=link, full_description=f'<a href="{sandbox.url}">x</a>')
    query = CatalogQueryFactory.create(content_filter={"content_type": ["course", "courserun", "program"]}, named=True)
    catalog = EnterpriseCatalogFactory.create(enterprise_uuid=CUSTOMER_UUID, catalog_query=query, title="All")
    sandbox.put_customer({"uuid": str(CUSTOMER_UUID), "name": "Acme", "slug": "acme", "enable_learner_portal": True})
    run = requested(query)
    refresh(run.pk)
    run.refresh_from_db()
    assert run.state == RefreshRun.State.PUBLISHED
    return catalog


def body_of(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(dict(response.headers)) + content.decode(errors="replace")


@pytest.mark.django_db
def test_everything_that_calls_calls_inside(catalog, public, sandbox, settings):  # LMS-1, DISC-1
    point_sign_in_at(sandbox, settings, service=SERVICE)
    settings.SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = public.url
    EnterpriseCustomer.objects.get_or_create(uuid=CUSTOMER_UUID)
    EnterpriseCustomer.objects.update(attempted_at=None, fetched_at=None)
    sync_due_customers()
    assert EnterpriseCustomer.objects.get(uuid=CUSTOMER_UUID).slug == "acme"
    assert refresh_reviews_if_due()
    preview_filter(content_filter={"content_type": "course"}, catalog=catalog)
    preview_next()
    User.objects.create_superuser("stan", "stan@example.org")
    person = Person("stan")
    begun = person.begin()
    assert begun.startswith(f"{public.url}/oauth2/authorize?")
    # The person's browser reaches the LMS at its public address.
    returned = person.agree(begun.replace(public.url, sandbox.url))
    assert person.browser.get(returned).status_code == 302
    assert person.is_in()
    assert public.connections == 0
    endpoints = {call.endpoint for call in sandbox.calls()}
    assert {"search_v2", "courses", "programs", "course_review", "customers", "token"} <= endpoints


@pytest.mark.django_db
def test_links_are_public_and_no_answer_names_an_internal_address(catalog, public, sandbox, settings):  # LMS-1
    sync_due_customers()
    key = ContentMetadata.objects.filter(content_type="course").earliest("content_key").content_key
    content = f"/api/v1/enterprise-catalogs/{catalog.pk}/get_content_metadata/?traverse_pagination=1"
    items = json.loads(learner().get(content).getvalue())["results"]
    item = next(item for item in items if item.get("key") == key and item["content_type"] == "course")
    assert item["image_url"] == f"{public.url}/media/course.png"
    assert item["full_description"] == f'<a href="{public.url}">x</a>'
    assert item["xapi_activity_id"].startswith(f"{public.url}/")
    settings.SERVICE_ATTEMPTS = 1
    sandbox.add_fault(endpoint="search", status=503)
    failed = requested(catalog.catalog_query)
    refresh(failed.pk)
    refused = Client().get("/complete/edx-oauth2/?error=access_denied")
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", "boss@example.org"))
    pages = [
        "/admin/",
        page(EnterpriseCatalog, "change", catalog.pk),
        page(CatalogQuery, "change", catalog.catalog_query_id),
        page(ContentMetadata, "change", key.replace("+", "_2B")),
        page(RefreshRun, "change", failed.pk),
        f"/admin/where-is-this-content/?content_key={key.replace('+', '%2B')}",
    ]
    answers = {"refused": refused} | {path: boss.get(path) for path in pages}
    assert {path: answers[path].status_code for path in pages} == dict.fromkeys(pages, 200)
    answers |= {name: read(catalog) for name, read in READS.items()}
    answers |= {path: learner().get(path) for path in (content, f"/api/v1/content-metadata/{key}")}
    internal = sandbox.url.removeprefix("http://")
    assert [name for name, response in answers.items() if internal in body_of(response)] == []


ROOT, OUTSIDE = "http://discovery:8000", "https://discovery.campus.example"
# What follows a link in a text, and what makes it a link to somewhere else.
ENDS = ["", "/", "/media/a.png", "?x=1", "#top", '"', "'", "<", ")", " ", "\\", "\n", "\t", ".", ":", ". x", "/" + ROOT]
OTHERS = ["1", "a", ".example.org", "-b", ":1", "_"]
TEXTS = st.lists(st.sampled_from([*[ROOT + end for end in ENDS], "x", " ", "é", OUTSIDE]), max_size=6).map(" ".join)
DOCUMENTS = st.recursive(
    TEXTS | st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def replaced(value: Any) -> Any:
    """The same with public links, text by text."""
    if isinstance(value, dict):
        return {replaced(name): replaced(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner) for inner in value]
    return value.replace(ROOT, OUTSIDE) if isinstance(value, str) else value


@given(DOCUMENTS, st.booleans())
def test_links_anywhere_in_a_document_become_public(document, is_ascii):  # LMS-1
    body = bytearray(json.dumps(document, ensure_ascii=is_ascii).encode())
    assert json.loads(with_public_links(body, root=ROOT, public_root=OUTSIDE)) == replaced(document)


@given(st.lists(st.sampled_from(OTHERS).map(ROOT.__add__)))
def test_links_to_other_hosts_and_ports_stay(links):  # LMS-1
    body = bytearray(json.dumps(links).encode())
    assert json.loads(with_public_links(body, root=ROOT, public_root=OUTSIDE)) == links
