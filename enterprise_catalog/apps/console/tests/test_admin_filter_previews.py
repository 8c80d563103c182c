"""Previews in the admin: nothing is saved before it is confirmed, and only by users who may."""

import json
from uuid import uuid4

import pytest

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.clock import database_now
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.models import FilterPreview, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.runner import refresh_next
from enterprise_catalog.apps.refresh.previews.preview_runner import preview_next
from enterprise_catalog.apps.services.filter_previews import preview_filter
from enterprise_catalog.testing.admin_clients import errors, page, signed_in, texts
from enterprise_catalog.testing.factories import (
    CatalogQueryFactory,
    ContentMetadataFactory,
    EnterpriseCatalogFactory,
    publish_members,
)
from enterprise_catalog.testing.runs import members

pytestmark = pytest.mark.django_db

COURSES = {"content_type": "course"}
ADD = page(EnterpriseCatalog, "add")


def form_of(catalog: EnterpriseCatalog | None = None, **fields) -> dict:
    values = {"title": "", "enterprise_uuid": "", "enterprise_name": "", "enabled_course_modes": ""}
    if catalog:
        values |= {
            "title": catalog.title,
            "enterprise_uuid": str(catalog.enterprise_uuid),
            "enterprise_name": catalog.enterprise_name,
            "enabled_course_modes": ", ".join(catalog.enabled_course_modes),
            "catalog_query": str(catalog.catalog_query_id),
        }
    return values | {"content_filter": json.dumps(COURSES), "_preview": "yes"} | fields


def asked_for(client, row: EnterpriseCatalog, **fields):
    return client.post(page(EnterpriseCatalog, "change", row.pk), form_of(row, **fields), follow=True)


def preview_page(preview: FilterPreview, name: str = "preview", model=EnterpriseCatalog) -> str:
    return page(model, name, preview.pk)


def done(preview: FilterPreview, *keys: str) -> FilterPreview:
    """As if a worker had found these."""
    FilterPreview.objects.filter(pk=preview.pk).update(
        state="done",
        found_keys=pack(sorted(keys)),
        counts={"fetched": len(keys), "skipped": 0, "quarantined": 0, "total": len(keys)},
        first_items=[[key, "course", f"About {key}"] for key in sorted(keys)],
    )
    return FilterPreview.objects.get(pk=preview.pk)


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return EnterpriseCatalogFactory.create(title="Engineering")


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_preview_leads_to_a_page_that_waits_and_saves_nothing(admin, catalog):  # P6
    response = asked_for(admin, catalog, title="Something else")
    preview = FilterPreview.objects.get()
    assert response.redirect_chain == [(preview_page(preview), 302)]
    assert "It waits for a worker." in text_of(response)
    assert '<noscript><meta http-equiv="refresh"' in text_of(response)
    assert (preview.catalog_uuid, preview.catalog_query_id, preview.content_filter) == (catalog.pk, None, COURSES)
    catalog.refresh_from_db()
    assert catalog.title == "Engineering"
    assert not RefreshRun.objects.exists()


@pytest.mark.parametrize(("text", "said"), [('{"a": ', "This is no JSON"), ("", "Write a content filter")])
def test_what_is_no_filter_is_shown_again_and_neither_previewed_nor_saved(admin, catalog, text, said):
    response = asked_for(admin, catalog, content_filter=text, title="Something else")
    assert said in errors(response)["content_filter"][0]
    assert response.context["adminform"].form["title"].value() == "Something else"
    catalog.refresh_from_db()
    assert (catalog.title, FilterPreview.objects.exists()) == ("Engineering", False)


def test_a_catalog_to_come_is_previewed_before_the_rest_is_typed(admin):
    response = admin.post(ADD, form_of(title="Engineering"), follow=True)
    preview = FilterPreview.objects.get()
    assert (preview.catalog_uuid, preview.catalog_query_id, preview.typed["title"]) == (None, None, "Engineering")
    assert response.status_code == 200
    assert not EnterpriseCatalog.objects.exists()


def test_a_querys_filter_is_previewed(admin):
    query = CatalogQueryFactory.create(title="All courses")
    response = admin.post(page(CatalogQuery, "change", query.pk), form_of(title="All courses"), follow=True)
    preview = FilterPreview.objects.get()
    assert (preview.catalog_uuid, preview.catalog_query_id) == (None, query.pk)
    assert response.redirect_chain == [(preview_page(preview, model=CatalogQuery), 302)]


def test_the_waiting_page_is_told_how_far_it_is(admin, catalog):
    preview = preview_filter(content_filter=COURSES, catalog=catalog)
    FilterPreview.objects.update(state="running", requests_done=3, requests_expected=12)
    told = admin.get(preview_page(preview, "preview_state")).json()
    said = "3 of 12 requests to discovery are answered."
    assert told == {"ended": False, "done": 3, "expected": 12, "text": said}
    assert said in text_of(admin.get(preview_page(preview)))


def test_looking_how_far_it_is_costs_few_statements(admin, catalog, django_assert_max_num_queries):
    preview = preview_filter(content_filter=COURSES, catalog=catalog)
    with django_assert_max_num_queries(4):  # session, user, preview, catalog
        admin.get(preview_page(preview, "preview_state"))


# --- Seeing -----------------------------------------------------------------------------------------------------------


def test_the_result_is_compared_with_the_members_now(admin, catalog):
    first, second = ContentMetadataFactory.create_batch(2)
    publish_members(catalog.catalog_query, first, second)
    preview = done(preview_filter(content_filter=COURSES, catalog=catalog), first.pk, "edX+New")
    text = text_of(admin.get(preview_page(preview)))
    assert "2 items found" in text
    assert "Against the 2 members now" in text
    assert "<td>would join</td><td>1</td><td>edX+New</td>" in text
    assert f"<td>would leave</td><td>1</td><td>{second.pk}</td>" in text
    assert "Using it changes this catalog only" in text
    assert "The guard has no say here" in text
    assert page(type(first), "change", first.pk.replace("+", "_2B").replace(":", "_3A")) in text
    assert "edX+New (new here)" in text


def test_a_failure_is_shown_with_its_reason_and_without_a_number(admin, catalog, sandbox):  # RUN-4
    preview = preview_filter(content_filter={"first_enrollable_paid_seat_price__lte": "cheap"}, catalog=catalog)
    preview_next()
    response = admin.get(preview_page(preview))
    assert "There is no result. discovery_rejected: search v2 page 1" in text_of(response)
    assert "Use this filter" not in text_of(response)
    admin.post(preview_page(preview, "use_preview"))
    assert CatalogQuery.objects.get().content_filter != preview.content_filter


def test_what_discovery_ignores_is_said(admin, catalog):  # QRY-8
    preview = done(preview_filter(content_filter={"aggregation__key": "x"}, catalog=catalog))
    text = text_of(admin.get(preview_page(preview)))
    assert "discovery does not know “aggregation__key”" in text
    assert "This filter finds nothing." in text


def test_a_shared_query_says_who_follows(admin):
    query = CatalogQueryFactory.create()
    EnterpriseCatalogFactory.create_batch(2, catalog_query=query, enterprise_uuid=uuid4())
    EnterpriseCatalogFactory.create(catalog_query=query)
    preview = done(preview_filter(content_filter=COURSES, query=query))
    assert "Using it changes 3 catalogs of 2 customers, after one refresh." in text_of(
        admin.get(preview_page(preview, model=CatalogQuery))
    )


def test_the_guard_is_asked_where_the_filter_stays(admin):  # REFR-9
    query = CatalogQueryFactory.create(content_filter=COURSES)
    publish_members(query, *ContentMetadataFactory.create_batch(12))
    CatalogQuery.objects.update(refreshed_at=database_now(), published_filter_hash=query.content_filter_hash)
    preview = done(preview_filter(content_filter=COURSES, query=query), "edX+New")
    text = text_of(admin.get(preview_page(preview, model=CatalogQuery)))
    assert "The guard would hold a refresh that finds this: 12 of 12 members would be removed." in text


def test_the_guard_is_asked_about_a_filter_with_an_empty_value(admin, settings):  # REFR-9, QRY-8
    """Nobody has the filter yet, and its first publish would be held."""
    settings.GUARD_MAX_FIRST_ITEMS = 1
    catalog = EnterpriseCatalogFactory.create()
    preview = done(preview_filter(content_filter={"key": []}, catalog=catalog), "edX+A", "edX+B")
    text = text_of(admin.get(preview_page(preview)))
    assert "The guard would hold a refresh that finds this: 0 members would become 2." in text
    assert "“key” has no value, so discovery ignores it" in text


# --- Going on ---------------------------------------------------------------------------------------------------------


def test_use_this_filter_saves_it_and_the_refresh_publishes_what_was_shown(admin, sandbox):
    catalog = EnterpriseCatalogFactory.create(title="Engineering")
    preview = preview_filter(content_filter=COURSES, catalog=catalog)
    preview_next()
    found = admin.get(preview_page(preview)).context["preview"].counts["total"]
    response = admin.post(preview_page(preview, "use_preview"), follow=True)
    assert response.redirect_chain[-1][0] == page(EnterpriseCatalog, "change", catalog.pk)
    assert "A refresh is on its way" in texts(response)[0]
    catalog.refresh_from_db()
    refresh_next()
    assert catalog.catalog_query.content_filter == COURSES
    assert len(members(catalog.catalog_query)) == found == len(sandbox.dataset.course_keys())


def test_use_this_filter_changes_a_query_for_all_its_catalogs(admin):  # QRY-3
    query = EnterpriseCatalogFactory.create().catalog_query
    preview = done(preview_filter(content_filter=COURSES, query=query))
    admin.post(preview_page(preview, "use_preview", CatalogQuery))
    assert CatalogQuery.objects.get().content_filter == COURSES
    assert CatalogQuery.objects.get().history.latest().history_user.username == "olga"


def test_a_query_with_the_same_filter_that_takes_over_is_led_to(admin):  # QRY-3
    query = EnterpriseCatalogFactory.create().catalog_query
    other = CatalogQueryFactory.create(content_filter=COURSES)
    preview = done(preview_filter(content_filter=COURSES, query=query))
    response = admin.post(preview_page(preview, "use_preview", CatalogQuery), follow=True)
    assert response.redirect_chain[-1][0] == page(CatalogQuery, "change", other.pk)
    assert any("took the place of this one" in text for text in texts(response))


def test_a_refusal_is_shown_and_nothing_is_saved(admin):  # QRY-6
    CatalogQueryFactory.create(content_filter=COURSES, named=True)
    query = CatalogQueryFactory.create()
    preview = done(preview_filter(content_filter=COURSES, query=query))
    response = admin.post(preview_page(preview, "use_preview", CatalogQuery), follow=True)
    assert "already used by catalog query" in texts(response)[0]
    assert response.redirect_chain[-1][0] == preview_page(preview, model=CatalogQuery)
    assert CatalogQuery.objects.get(pk=query.pk).content_filter == query.content_filter


def test_back_to_editing_brings_back_all_that_was_typed(admin, catalog):
    asked_for(admin, catalog, title="Something else", publish_audit_enrollment_urls="on")
    preview = FilterPreview.objects.get()
    assert "Also typed, and not saved with the filter: title" in text_of(admin.get(preview_page(done(preview))))
    back = admin.get(admin.get(preview_page(preview)).context["back_url"])
    form = back.context["adminform"].form
    assert json.loads(form["content_filter"].value()) == COURSES
    assert (form["title"].value(), form["publish_audit_enrollment_urls"].value()) == ("Something else", True)
    assert "It is not saved yet." in texts(back)[0]


def test_a_catalog_to_come_gets_its_form_back_and_is_saved_from_there(admin):
    uuid, customer = str(uuid4()), str(uuid4())
    admin.post(ADD, form_of(title="Engineering", uuid=uuid, enterprise_uuid=customer, enterprise_name="Umbrella"))
    preview = done(FilterPreview.objects.get())
    text = text_of(admin.get(preview_page(preview)))
    assert "Use this filter in the form" in text
    assert preview_page(preview, "use_preview") not in text
    form = admin.get(ADD, {"preview": str(preview.pk)}).context["adminform"].form
    sent = {name: form[name].value() or "" for name in form.fields if form[name].value() is not False}
    admin.post(ADD, sent)
    saved = EnterpriseCatalog.objects.get()
    assert (str(saved.pk), saved.title, saved.catalog_query.content_filter) == (uuid, "Engineering", COURSES)


def test_who_may_only_look_gets_no_draft(catalog):
    looker = signed_in("lena", "catalog.view_enterprisecatalog")
    preview = preview_filter(content_filter=COURSES, catalog=catalog)
    response = looker.get(page(EnterpriseCatalog, "change", catalog.pk), {"preview": preview.pk})
    assert (response.status_code, texts(response)) == (200, [])


def test_what_somebody_else_typed_stays_theirs(admin, catalog):
    asked_for(admin, catalog, title="Something else")
    other = signed_in("otto", is_superuser=True)
    form = other.get(page(EnterpriseCatalog, "change", catalog.pk), {"preview": FilterPreview.objects.get().pk})
    form = form.context["adminform"].form
    assert (json.loads(form["content_filter"].value()), form["title"].value()) == (COURSES, "Engineering")


@pytest.mark.parametrize("value", ["", "7", "0b8c8f0e-4a3c-4a0d-9b1a-2f7d5f3c9e11", "another catalog's"])
def test_a_preview_of_something_else_leaves_the_form_alone(admin, catalog, value):
    if value == "another catalog's":
        value = preview_filter(content_filter=COURSES, catalog=EnterpriseCatalogFactory.create()).pk
    response = admin.get(page(EnterpriseCatalog, "change", catalog.pk), {"preview": value})
    assert response.context["adminform"].form["content_filter"].value() is None


def test_a_preview_for_another_page_or_a_row_that_is_gone_is_not_found(admin, catalog):
    preview = done(preview_filter(content_filter=COURSES, catalog=catalog))
    for name in ("preview", "preview_state"):
        assert admin.get(preview_page(preview, name, CatalogQuery)).status_code == 404
    assert admin.post(preview_page(preview, "use_preview", CatalogQuery)).status_code == 404
    catalog.delete()
    assert admin.get(preview_page(preview)).status_code == 404


# --- While it is typed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "errors", "warnings"),
    [
        ('{\n "a": }', ["line 2 column 7"], []),
        ("[]", ["Must be a JSON object."], []),
        ('{"key": "edX+DemoX"}', [], ["should be a list", "matches words in a row"]),
        ('{"content_type": "course"}', [], []),
        ("", [], []),
    ],
)
def test_a_filter_is_checked_before_it_is_saved(admin, text, errors, warnings):  # QRY-8, CRUD-2
    told = admin.post(page(CatalogQuery, "check_filter"), {"content_filter": text}).json()
    for expected, found in ((errors, told["errors"]), (warnings, told["warnings"])):
        assert len(expected) == len(found)
        assert all(part in sentence for part, sentence in zip(expected, found, strict=True))


def test_many_warnings_are_counted(admin, settings):  # COM-16
    text = json.dumps({f"{number:03}{'x' * 100}": "y" for number in range(300)})
    told = admin.post(page(CatalogQuery, "check_filter"), {"content_filter": text}).json()
    assert len(told["warnings"]) == settings.FILTER_WARNINGS_SHOWN + 1
    assert told["warnings"][-1] == "Content filter: 290 more warnings."
    assert max(map(len, told["warnings"])) < 200


def test_tidying_up_changes_no_value(admin):  # HASH-1
    text = '{"b":1.0,"a":[12345678901234567890,"é"]}'
    told = admin.post(page(CatalogQuery, "check_filter"), {"content_filter": text}).json()
    assert told["tidy"].splitlines()[1] == '  "b": 1.0,'
    assert json.loads(told["tidy"]) == json.loads(text)


# --- Permissions ------------------------------------------------------------------------------------------------------


def test_who_may_only_look_cannot_preview_use_or_check(catalog):
    looker = signed_in("lena", "catalog.view_enterprisecatalog", "catalog.view_catalogquery")
    preview = done(preview_filter(content_filter=COURSES, catalog=catalog))
    assert asked_for(looker, catalog).status_code == 403
    assert looker.post(page(EnterpriseCatalog, "check_filter"), {"content_filter": "{}"}).status_code == 403
    for name in ("preview", "preview_state"):
        assert looker.get(preview_page(preview, name)).status_code == 403
    assert looker.post(preview_page(preview, "use_preview")).status_code == 403
    assert (FilterPreview.objects.count(), CatalogQuery.objects.get()) == (1, catalog.catalog_query)


def test_who_may_only_add_previews_nothing_for_what_exists(catalog):
    adder = signed_in("ada", "catalog.add_enterprisecatalog", "catalog.view_enterprisecatalog")
    assert asked_for(adder, catalog).status_code == 403
    assert adder.post(ADD, form_of()).status_code == 302
    preview = done(preview_filter(content_filter=COURSES, catalog=catalog))
    assert adder.post(preview_page(preview, "use_preview")).status_code == 403


def test_who_may_change_catalogs_only_does_not_change_a_query(catalog):  # QRY-1, P8
    clerk = signed_in("carl", "catalog.view_enterprisecatalog", "catalog.change_enterprisecatalog")
    other = EnterpriseCatalogFactory.create(catalog_query=catalog.catalog_query)
    preview = done(preview_filter(content_filter=COURSES, catalog=catalog))
    clerk.post(preview_page(preview, "use_preview"))
    catalog.refresh_from_db()
    assert catalog.catalog_query.content_filter == COURSES
    assert EnterpriseCatalog.objects.get(pk=other.pk).catalog_query != catalog.catalog_query
    query_preview = done(preview_filter(content_filter={}, query=catalog.catalog_query))
    assert clerk.post(preview_page(query_preview, "use_preview", CatalogQuery)).status_code == 403


def test_previews_and_checks_need_the_forms_token(catalog):
    User.objects.create_superuser("olga")
    client = signed_in("otto", is_superuser=True)
    client.handler.enforce_csrf_checks = True
    preview = done(preview_filter(content_filter=COURSES, catalog=catalog))
    for path in (preview_page(preview, "use_preview"), page(CatalogQuery, "check_filter")):
        assert client.post(path, {"content_filter": "{}"}).status_code == 403
