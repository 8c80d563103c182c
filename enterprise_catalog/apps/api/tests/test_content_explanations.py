"""Which catalogs contain a key, by which rule and since when, or why not, over HTTP (ADD-5)."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from enterprise_catalog.apps.catalog.change_feed.recording import record_attachment
from enterprise_catalog.apps.catalog.models import CatalogContentChange, CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.catalog.storage.overrides import WantedOverride
from enterprise_catalog.apps.core.packed_json import pack
from enterprise_catalog.apps.refresh.models import QuarantinedDocument, RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.apps.refresh.queue.claims import fail
from enterprise_catalog.testing.callers import CUSTOMER_UUID, learner, operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of, publish, store
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import claimed, keys, make_query

pytestmark = pytest.mark.django_db

PATH = "/api/v1/content-explanations/"
B2B = "custom-b2b-enterprise"
PROGRAM = "2b1d3c5e-0000-4000-8000-00000000beef"
INACTIVE = {"course_runs": [{"key": "course-v1:edX+Idle+1T", "is_enrollable": False}]}


def asked(key: str, catalog: EnterpriseCatalog | None = None, **parameters: str) -> dict:
    named = {"enterprise_catalog": str(catalog.uuid)} if catalog else {}
    response = operator().get(PATH, {"content_key": key, **named, **parameters})
    assert response.status_code == 200, response.content
    return response.json()


def explained(key: str, catalog: EnterpriseCatalog) -> dict:
    (result,) = asked(key, catalog)["results"]
    return result


def codes(key: str, catalog: EnterpriseCatalog) -> list[str]:
    return [reason["code"] for reason in explained(key, catalog)["reasons"]]


def reason(key: str, catalog: EnterpriseCatalog) -> dict:
    (only,) = explained(key, catalog)["reasons"]
    return only


def last_run(catalog: EnterpriseCatalog) -> str:
    return str(RefreshRun.objects.filter(catalog_query=catalog.catalog_query).latest("requested_at").pk)


def quarantined(catalog: EnterpriseCatalog, key: str, *found: dict) -> None:
    """Publish these documents, and quarantine one more."""
    claim = claimed(catalog.catalog_query)
    QuarantinedDocument.objects.create(refresh_run_id=claim.run_uuid, content_key=key, reason="over 3 MiB")
    publish_or_hold(claim=claim, content_keys=store(*found), counts={})


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return make_catalog("edX+A", run_document("course-v1:edX+B+1T", "edX+B"), program_document(PROGRAM))


# Contained


@pytest.mark.parametrize(
    ("key", "rule", "member"),
    [
        ("edX+A", "member", "edX+A"),
        ("course-v1:edX+B+1T", "member", "course-v1:edX+B+1T"),
        (PROGRAM, "member", PROGRAM),
        ("edX+B", "parent", "course-v1:edX+B+1T"),
        ("course-v1:edX+A+1T", "nested_run", "edX+A"),
    ],
)
def test_each_rule_is_named_with_the_member_that_carries_the_key(catalog, key, rule, member):  # ADD-5, CONT-1
    found = explained(key, catalog)
    assert (found["contains"], found["rule"], found["member"], found["reasons"]) == (True, rule, member, [])


def test_membership_comes_before_the_other_rules():  # ADD-5
    catalog = make_catalog("edX+A", run_document("course-v1:edX+A+1T", "edX+A"))
    assert explained("course-v1:edX+A+1T", catalog)["rule"] == "member"
    assert explained("edX+A", catalog)["rule"] == "member"


def test_since_is_when_it_joined_and_last_seen_the_last_publish():  # ADD-5, CHG-2
    catalog = make_catalog()
    publish(catalog.catalog_query, course_document("edX+A"))
    joined = CatalogContentChange.objects.get()
    publish(catalog.catalog_query, course_document("edX+A"))
    catalog.catalog_query.refresh_from_db()
    found = explained("edX+A", catalog)
    assert found["since"] == learner().get(path_of(catalog, "changes/")).json()["results"][0]["changed_at"]
    assert found["since_run"] == str(joined.refresh_run_uuid)
    assert found["last_seen"] > found["since"]


def test_what_left_and_came_again_is_there_since_it_came_again():  # ADD-5
    catalog = make_catalog("edX+A")
    for documents in ([], [course_document("edX+A")]):
        publish(catalog.catalog_query, *documents)
    again = CatalogContentChange.objects.latest("pk")
    assert explained("edX+A", catalog)["since_run"] == str(again.refresh_run_uuid)


def test_a_catalog_attached_later_has_it_since_then():  # ADD-5, CHG-2
    first = make_catalog("edX+A")
    later = make_catalog(query=first.catalog_query)
    attached = CatalogContentChange.objects.get(enterprise_catalog=later)
    found = explained("edX+A", later)
    assert found["since"].startswith(attached.changed_at.isoformat()[:26].removesuffix("+00:00"))
    assert found["since_run"] is None


def test_moving_to_another_search_that_has_it_too_changes_nothing():  # ADD-5, CHG-2
    moved, other = make_catalog(), make_catalog("edX+A", "edX+B")
    publish(moved.catalog_query, course_document("edX+A"))
    before = explained("edX+A", moved)["since"]
    move(moved, other.catalog_query)
    assert explained("edX+A", moved)["since"] == before != explained("edX+B", moved)["since"]


def test_longer_ago_than_changes_are_kept_is_null(catalog):  # ADD-5
    CatalogContentChange.objects.all().delete()
    assert explained("edX+A", catalog)["since"] is None


def move(catalog: EnterpriseCatalog, query: CatalogQuery) -> None:
    with transaction.atomic():
        record_attachment(catalogs=[catalog.pk], query_id=query.pk, previous_query_id=catalog.catalog_query_id)
        EnterpriseCatalog.objects.filter(pk=catalog.pk).update(catalog_query=query)


# Reasons


def test_a_course_that_is_inactive_is_contained_and_not_listed():  # ADD-5, META-4, META-20
    catalog = make_catalog(course_document("edX+Idle", **INACTIVE), records=[{"key": "edX+Idle", **INACTIVE}])
    found = explained("edX+Idle", catalog)
    assert (found["contains"], found["listed"]) == (True, False)
    assert "(none of its runs can be enrolled in)" in reason("edX+Idle", catalog)["detail"]
    assert reason("course-v1:edX+Idle+1T", catalog)["detail"].startswith("Its course edX+Idle is inactive")


def test_what_never_was_returned_says_so(catalog):  # ADD-5
    make_catalog("edX+Elsewhere")
    why = reason("edX+Elsewhere", catalog)
    assert (why["code"], why["at"], why["refresh_run"]) == ("not_returned", None, None)


def test_what_left_says_when_and_by_which_run(catalog):  # ADD-5
    publish(catalog.catalog_query, course_document("edX+Z"))
    why = reason("edX+A", catalog)
    assert (why["code"], why["refresh_run"]) == ("not_returned", last_run(catalog))
    assert "any more" in why["detail"]
    assert why["at"]
    assert reason("course-v1:edX+A+1T", catalog) == why


def test_what_was_left_behind_on_another_search_says_so(catalog):  # ADD-5
    move(catalog, make_catalog("edX+C").catalog_query)
    why = reason("edX+A", catalog)
    assert (why["code"], why["refresh_run"]) == ("not_returned", None)
    assert "put on another search" in why["detail"]


def test_a_key_that_nobody_knows_is_unknown(catalog):  # ADD-5
    assert "another case" in reason("edx+a", catalog)["detail"]
    assert codes("edx+a", catalog) == ["unknown"]


def test_the_uuid_of_a_course_leads_to_its_key(catalog):  # ADD-5, CONT-2
    uuid = str(uuid4())
    publish(catalog.catalog_query, course_document("edX+A", uuid=uuid))
    why = reason(uuid, catalog)
    assert why["code"] == "unknown"
    assert "the uuid of edX+A" in why["detail"]


def test_a_quarantined_document_has_its_reason_and_its_run(catalog):  # ADD-5, P7
    quarantined(catalog, "edX+TooLarge", course_document("edX+A"))
    why = reason("edX+TooLarge", catalog)
    assert (why["code"], why["refresh_run"]) == ("quarantined", last_run(catalog))
    assert "over 3 MiB" in why["detail"]
    assert asked("edX+TooLarge")["content"]["quarantined"][0]["reason"] == "over 3 MiB"


def test_a_member_with_a_quarantined_document_may_be_old(catalog):  # ADD-5
    quarantined(catalog, "edX+A", course_document("edX+A"))
    assert explained("edX+A", catalog)["contains"]
    assert "may be old" in reason("edX+A", catalog)["detail"]


def test_a_document_quarantined_by_an_earlier_run_is_not_mentioned(catalog):  # ADD-5
    quarantined(catalog, "edX+TooLarge", course_document("edX+A"))
    publish(catalog.catalog_query, course_document("edX+A"))
    assert codes("edX+TooLarge", catalog) == ["not_returned"]


def test_nothing_was_published_yet():  # ADD-5
    store(course_document("edX+A"))
    catalog = make_catalog()
    run = claimed(catalog.catalog_query)
    why = reason("edX+A", catalog)
    assert (why["code"], why["refresh_run"]) == ("never_published", str(run.run_uuid))


def test_a_held_run_that_would_change_it():  # ADD-5, REFR-10
    catalog = make_catalog(*keys(12))
    publish(catalog.catalog_query, course_document("edX+new"))
    removed, added = reason("edX+000", catalog), explained("edX+new", catalog)["reasons"][1]
    assert "would remove it" in removed["detail"]
    assert "would add it" in added["detail"]
    assert removed["code"] == added["code"] == "held"
    assert removed["refresh_run"] == added["refresh_run"] == last_run(catalog)


def test_a_held_run_that_would_leave_it_is_not_mentioned():  # ADD-5
    catalog = make_catalog(*keys(12))
    publish(catalog.catalog_query, course_document("edX+000"))
    assert codes("edX+000", catalog) == codes("course-v1:edX+000+1T", catalog) == []


def test_a_held_run_of_another_filter_cannot_change_anything():  # ADD-5, REFR-10
    catalog = make_catalog(*keys(12))
    publish(catalog.catalog_query, course_document("edX+new"))
    CatalogQuery.objects.update(content_filter_hash="0" * 32)
    assert codes("edX+000", catalog) == ["filter_changed"]


def test_a_late_catalog_says_so(catalog):  # ADD-5, P3
    CatalogQuery.objects.update(refreshed_at=timezone.now() - timedelta(hours=25))
    assert codes("edX+A", catalog) == ["late"]


def test_a_failed_refresh_says_why(catalog):  # ADD-5
    fail(claimed(catalog.catalog_query), code="discovery_unavailable", detail="503 at page 2")
    why = reason("edX+A", catalog)
    assert (why["code"], why["refresh_run"]) == ("failed", last_run(catalog))
    assert "503 at page 2" in why["detail"]


@pytest.fixture
def restricting() -> EnterpriseCatalog:
    """A course of an open run, an allowed one and a hidden one; beside it a hidden run by itself."""
    document = course_document("edX+D")
    document["course_runs"] += [{"key": "allowed", "restriction_type": B2B}]
    store(document, run_document("alone", "edX+Other", restriction_type=B2B))
    query = make_query({"restricted_runs_allowed": {"edX+D": ["allowed", "hushed"]}})
    record = {**document, "course_runs": [*document["course_runs"], {"key": "hushed", "restriction_type": B2B}]}
    override = WantedOverride("edX+D", pack(record), forced=False, allowed_runs=frozenset(["allowed", "hushed"]))
    publish_or_hold(claim=claimed(query), content_keys=["edX+D", "alone"], counts={}, overrides=[override])
    return make_catalog(query=query)


@pytest.mark.parametrize("key", ["allowed", "hushed"])
def test_a_restricted_run_that_is_allowed_is_in_v2_only(restricting, key):  # ADD-5, V2-3
    found = explained(key, restricting)
    assert (found["contains"], found["contains_in_v2"]) == (False, True)
    assert reason(key, restricting)["code"] == "restricted"
    assert "which API v2 heeds" in reason(key, restricting)["detail"]
    assert asked(key)["content"]["restricted"]


def test_a_restricted_run_that_is_not_allowed_is_hidden(restricting):  # ADD-5, V2-2
    assert "v1 and v2 hide it" in reason("alone", restricting)["detail"]
    assert "is a restricted run, alone, and" in reason("edX+Other", restricting)["detail"]


def test_a_run_that_no_search_returns_any_more_and_its_course_forgot():  # ADD-5, CONT-8
    catalog = make_catalog("edX+A", run_document("course-v1:edX+A+9T", "edX+A"))
    publish(catalog.catalog_query, course_document("edX+A"))
    why = reason("course-v1:edX+A+9T", catalog)
    assert why["code"] == "not_returned"
    assert "Its course edX+A is in this catalog, but says nothing of this run" in why["detail"]


# The same truth as containment


def test_explanations_agree_with_containment(restricting):
    """Compare every key and every catalog, one by one and all together (ADD-5, CONT-1, V2-3)."""
    idle = make_catalog(course_document("edX+Idle", **INACTIVE), "edX+A", program_document(PROGRAM))
    runs = make_catalog(run_document("course-v1:edX+B+1T", "edX+B"), run_document("r", "edX+D", restriction_type=B2B))
    left = make_catalog("edX+Gone", "edX+D", run_document("course-v1:edX+A+9T", "edX+A"))
    publish(left.catalog_query, course_document("edX+D"))
    catalogs = [restricting, idle, runs, left, make_catalog(), make_catalog(query=idle.catalog_query)]
    everything = {
        *["edX+A", "edX+B", "edX+D", "edX+Idle", "edX+Gone", "edX+Other", PROGRAM, "allowed", "hushed", "alone", "r"],
        *["course-v1:edX+A+1T", "course-v1:edX+A+9T", "course-v1:edX+B+1T", "course-v1:edX+Idle+1T"],
        *["course-v1:edX+D+1T", "edx+a", "", "x" * 300, "a\x00b", "%", "😀"],
    }
    for key in sorted(everything):
        contained = []
        for catalog in catalogs:
            found = explained(key, catalog)
            ids = urlencode({"course_run_ids": key})
            v1, v2 = (
                learner().get(f"/api/{version}/enterprise-catalogs/{catalog.uuid}/contains_content_items/?{ids}")
                for version in ("v1", "v2")
            )
            assert found["contains"] == v1.json()["contains_content_items"], (key, catalog)
            assert found["contains_in_v2"] == v2.json()["contains_content_items"], (key, catalog)
            assert found["contains"] or found["reasons"], (key, catalog)
            contained += [str(catalog.uuid)] if found["contains"] else []
        whole = asked(key, page_size="100")
        assert [found["enterprise_catalog"] for found in whole["results"]] == sorted_by_age(contained), key
        assert all(found["contains"] for found in whole["results"])
        assert whole["count"] == whole["content"]["catalogs"] == len(contained)


def sorted_by_age(uuids: list[str]) -> list[str]:
    rows = EnterpriseCatalog.objects.filter(pk__in=uuids).order_by("created", "uuid")
    return [str(uuid) for uuid in rows.values_list("pk", flat=True)]


# The content by itself


def test_the_content_itself_is_described(catalog):  # ADD-5
    make_catalog(query=catalog.catalog_query)
    content = asked("edX+A")["content"]
    assert list(content) == [
        *["content_key", "content_type", "title", "parent_content_key", "active", "inactive_because", "restricted"],
        *["queries", "catalogs", "last_seen", "left_at", "hint", "quarantined"],
    ]
    assert (content["content_type"], content["active"]) == ("course", True)
    assert (content["queries"], content["catalogs"]) == (1, 2)
    assert asked(PROGRAM)["content"]["title"] == "A program"


def test_a_run_that_is_only_nested_names_its_course(catalog):  # ADD-5
    content = asked("course-v1:edX+A+1T")["content"]
    assert (content["content_type"], content["parent_content_key"]) == ("courserun", "edX+A")


def test_what_left_everywhere_says_when(catalog):  # ADD-5
    publish(catalog.catalog_query, course_document("edX+Z"))
    content = asked("edX+A")["content"]
    assert (content["queries"], content["last_seen"]) == (0, None)
    assert content["left_at"]


# Asking


def test_a_missing_key_is_a_list(catalog):  # ERR-3
    response = operator().get(PATH)
    expected = ["You must provide at least one of the following query parameters: content_key."]
    assert (response.status_code, response.json()) == (400, expected)


def test_a_malformed_catalog_is_refused_and_an_unknown_one_not_found():  # ERR-2, COM-3
    response = operator().get(f"{PATH}?content_key=x&enterprise_catalog=nope")
    assert (response.status_code, response.json()) == (400, {"enterprise_catalog": ["Must be a valid UUID."]})
    response = operator().get(f"{PATH}?content_key=x&enterprise_catalog={uuid4()}")
    assert (response.status_code, response.json()) == (
        404,
        {"detail": "No EnterpriseCatalog matches the given query."},
    )


@pytest.mark.parametrize("key", ["edX+A", "edX%2BA", "edX%20A"])
@pytest.mark.parametrize("slash", ["/", ""])
def test_keys_are_repaired_and_slashes_do_not_matter(catalog, key, slash):  # COM-1, COM-12
    assert operator().get(f"{PATH[:-1]}{slash}?content_key={key}").json()["count"] == 1


def test_catalogs_come_in_pages(catalog):  # ADD-5, COM-6, COM-7, COM-9
    others = [make_catalog(query=catalog.catalog_query) for _ in range(2)]
    first = asked("edX+A", page_size="2")
    assert list(first) == [
        *["next", "previous", "count", "num_pages", "current_page", "start", "results", "content"],
    ]
    assert (first["count"], first["num_pages"]) == (3, 2)
    assert "content_key=edX%2BA" in first["next"]
    (last,) = operator().get(first["next"]).json()["results"]
    assert last["enterprise_catalog"] == str(others[-1].uuid)
    assert operator().get(f"{PATH}?content_key=edX+A&page=2").status_code == 404


def test_one_catalog_is_one_page(catalog):  # COM-7
    path = f"{PATH}?content_key=x&enterprise_catalog={catalog.uuid}"
    assert operator().get(f"{path}&page=last").json()["count"] == 1
    assert operator().get(f"{path}&page=2").status_code == 404


def test_it_speaks_json_only(catalog):  # ADD-5, COM-4
    assert operator().get(f"{PATH}?content_key=x", headers={"Accept": "application/xml"}).status_code == 406


def test_a_learner_is_refused(catalog):  # ADD-5, ROLE-7
    response = learner(CUSTOMER_UUID).get(f"{PATH}?content_key=edX+A")
    assert response.status_code == 403
    assert response.json() == {"detail": "You do not have permission to perform this action."}
