"""Catalogs over HTTP (CRUD-1 to CRUD-10, REFR-1); `test_query_resolution` covers which query they get."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, admin, client_for, operator
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of

pytestmark = pytest.mark.django_db

U = "7467c9d2-433c-4f7e-ba2e-c5c7798527b2"
FIELDS = [
    *["uuid", "title", "enterprise_customer", "catalog_query_uuid", "content_last_modified", "catalog_modified"],
    *["query_title", "content_refreshed_at", "content_freshness"],
]


def body(**changes) -> dict:
    values = {
        "uuid": U,
        "title": "All Content",
        "enterprise_customer": str(CUSTOMER_UUID),
        "enterprise_customer_name": "Acme, Inc.",
        "enabled_course_modes": ["verified", "professional"],
        "publish_audit_enrollment_urls": False,
        "content_filter": {"content_type": "course"},
        "catalog_query_uuid": None,
        "query_title": None,
    } | changes
    return {name: value for name, value in values.items() if value is not ...}


class TestCreate:
    def test_a_catalog_is_stored_and_answered(self):  # CRUD-1, CRUD-2, CRUD-4
        response = admin().post(CATALOGS, body())
        assert response.status_code == 201
        assert list(response.json()) == FIELDS
        catalog = EnterpriseCatalog.objects.select_related("catalog_query").get()
        assert response.json() | {"catalog_modified": None} == {
            "uuid": U,
            "title": "All Content",
            "enterprise_customer": str(CUSTOMER_UUID),
            "catalog_query_uuid": str(catalog.catalog_query.uuid),
            "content_last_modified": None,
            "catalog_modified": None,
            "query_title": None,
            "content_refreshed_at": None,
            "content_freshness": "never",
        }
        assert (catalog.enterprise_name, catalog.enabled_course_modes) == ("Acme, Inc.", ["verified", "professional"])

    def test_a_refresh_starts(self):  # CRUD-10, REFR-2, RUN-3
        response = admin().post(CATALOGS, body())
        assert RefreshRun.objects.get(pk=response["X-Refresh-Run"]).trigger == "create"

    def test_a_filter_that_looks_wrong_is_accepted_with_a_warning(self):  # QRY-8, ADD-3
        response = admin().post(CATALOGS, body(content_filter={"aggregation__key": "x"}))
        assert response.status_code == 201
        assert "unknown-key:aggregation__key" in response["X-Catalog-Filter-Warning"]

    def test_todays_client_sends_text_for_lists_bools_and_filters(self):  # CRUD-2
        sent = body(
            enabled_course_modes='["audit"]',
            publish_audit_enrollment_urls="true",
            content_filter='{"content_type": "course"}',
            include_exec_ed_2u_courses=False,
        )
        assert admin().post(CATALOGS, sent).status_code == 201
        catalog = EnterpriseCatalog.objects.select_related("catalog_query").get()
        assert catalog.enabled_course_modes == ["audit"]
        assert catalog.publish_audit_enrollment_urls is True
        assert catalog.catalog_query.content_filter == {"content_type": "course"}

    def test_a_uuid_is_made_when_absent(self):  # CRUD-2
        assert admin().post(CATALOGS, body(uuid=...)).status_code == 201

    def test_an_identical_retry_is_harmless(self):  # CRUD-5
        first = admin().post(CATALOGS, body())
        again = admin().post(CATALOGS, body())
        assert (again.status_code, again.json()) == (200, first.json())

    def test_another_catalog_under_the_same_uuid_is_a_conflict(self):  # CRUD-5, ERR-5
        admin().post(CATALOGS, body())
        response = admin(OTHER_CUSTOMER_UUID).post(CATALOGS, body(enterprise_customer=str(OTHER_CUSTOMER_UUID)))
        text = "An enterprise catalog with this uuid already exists with different values."
        assert (response.status_code, response.json()) == (409, {"uuid": [text]})

    def test_each_course_mode_is_stored_once(self):  # COM-16
        modes = [f"{number:032}" for number in range(18)]
        response = admin().post(CATALOGS, body(enabled_course_modes=["audit", *modes, "audit"]))
        assert response.status_code == 201
        assert EnterpriseCatalog.objects.get().enabled_course_modes == ["audit", *modes]

    @pytest.mark.parametrize(
        ("field", "value", "text"),
        [
            ("title", ..., "This field is required."),
            ("title", "", "This field may not be blank."),
            ("title", None, "This field may not be null."),
            ("title", 7, "Not a valid string."),
            ("title", "x" * 256, "Ensure this field has no more than 255 characters."),
            ("uuid", "x", "Must be a valid UUID."),
            ("uuid", 7, "Must be a valid UUID."),
            ("enterprise_customer_name", ..., "This field is required."),
            ("enterprise_customer_name", " ", "This field may not be blank."),
            ("enabled_course_modes", ..., "This field is required."),
            ("enabled_course_modes", "audit", "Expected a list of course modes."),
            ("enabled_course_modes", [1], "Expected a list of course modes."),
            ("enabled_course_modes", '["\\ud800"]', "Expected a list of course modes."),
            ("enabled_course_modes", None, "Expected a list of course modes."),
            # COM-16
            ("enabled_course_modes", ["audit"] * 21, "Ensure this field has no more than 20 elements."),
            ("enabled_course_modes", ["x" * 33], "Ensure each course mode has no more than 32 characters."),
            ("enabled_course_modes", f'["{"x" * 33}"]', "Ensure each course mode has no more than 32 characters."),
            ("enabled_course_modes", ["audit", ""], "A course mode may not be blank."),
            ("publish_audit_enrollment_urls", "maybe", "Must be a valid boolean."),
            ("publish_audit_enrollment_urls", [], "Must be a valid boolean."),
            ("content_filter", ..., "This field is required."),
            ("content_filter", None, "Must be a JSON object."),
            ("content_filter", ["course"], "Must be a JSON object."),
            ("content_filter", "text", "Must be a JSON object."),
            ("content_filter", '["course"]', "Must be a JSON object."),
            ("content_filter", 7, "Must be a JSON object."),
            ("catalog_query_uuid", "x", "Must be a valid UUID."),
            ("query_title", "", "This field may not be blank."),
            ("query_title", "x" * 256, "Ensure this field has no more than 255 characters."),
        ],
    )
    def test_bad_values_are_named_and_leave_no_trace(self, field, value, text):  # ERR-2, COM-21
        response = admin().post(CATALOGS, body(**{field: value}))
        assert (response.status_code, response.json()) == (400, {field: [text]})
        assert not CatalogQuery.objects.exists()

    @pytest.mark.parametrize("customer", [..., None, "", "x", 7, [], str(OTHER_CUSTOMER_UUID)])
    def test_a_customer_that_is_not_yours_is_refused_before_validation(self, customer):  # CRUD-4
        response = admin().post(CATALOGS, body(enterprise_customer=customer, title=...))
        assert (response.status_code, response.json()) == (403, {"detail": "MISSING: catalog.has_admin_access"})

    @pytest.mark.parametrize("role", ["enterprise_openedx_operator:*", "enterprise_provisioning_admin:*"])
    def test_callers_of_all_customers_get_the_field_error(self, role):  # CRUD-4
        response = client_for("olivia", role).post(CATALOGS, body(enterprise_customer="x"))
        assert (response.status_code, response.json()) == (400, {"enterprise_customer": ["Must be a valid UUID."]})

    def test_bad_json_comes_before_permissions(self):  # AUTH-9, ERR-1
        response = client_for("nobody").post(CATALOGS, "{", content_type="application/json")
        assert response.status_code == 400
        assert response.json()["detail"].startswith("JSON parse error - ")

    def test_a_body_that_is_no_object_is_refused(self):
        assert operator().post(CATALOGS, []).status_code == 400

    def test_other_media_types_are_refused(self):  # ERR-1
        response = admin().post(CATALOGS, "<a/>", content_type="application/xml")
        assert response.status_code == 415
        assert isinstance(response.json()["detail"], str)

    def test_a_body_without_its_length_is_not_taken_for_an_empty_one(self):  # DIFF-3, ERR-1
        path = f"{CATALOGS}{make_catalog().uuid}/generate_diff/"
        # What a server makes of `Transfer-Encoding: chunked`.
        response = admin().generic("POST", path, headers={"Transfer-Encoding": "chunked"})
        assert (response.status_code, response.json()) == (411, {"detail": "Content-Length is required."})

    def test_a_body_over_five_mebibytes_is_refused(self):  # COM-16
        response = admin().post(CATALOGS, "x" * (5 * 1024 * 1024 + 1), content_type="text/plain")
        assert (response.status_code, response.json()) == (413, {"detail": "Request body is too large."})


class TestList:
    def test_catalogs_come_in_order_of_creation(self):  # CRUD-3, COM-9
        made = [make_catalog(), make_catalog(), make_catalog(customer=OTHER_CUSTOMER_UUID)]
        response = operator().get(CATALOGS)
        assert list(response.json()) == ["count", "next", "previous", "results"]
        assert [row["uuid"] for row in response.json()["results"]] == [str(catalog.uuid) for catalog in made]

    def test_an_admin_sees_own_catalogs_only(self):  # PERM-1
        own = make_catalog()
        make_catalog(customer=OTHER_CUSTOMER_UUID)
        assert [row["uuid"] for row in admin().get(CATALOGS).json()["results"]] == [str(own.uuid)]

    def test_a_customer_filters(self):  # CRUD-3
        make_catalog()
        assert operator().get(CATALOGS, {"enterprise_customer": str(OTHER_CUSTOMER_UUID)}).json()["count"] == 0
        assert operator().get(CATALOGS, {"enterprise_customer": CUSTOMER_UUID.hex.upper()}).json()["count"] == 1

    def test_a_malformed_customer_is_refused(self):  # CRUD-3
        response = operator().get(CATALOGS, {"enterprise_customer": "x"})
        assert (response.status_code, response.json()) == (400, {"enterprise_customer": ["Must be a valid UUID."]})

    def test_pages(self):  # COM-7, COM-8
        for _ in range(3):
            make_catalog()
        response = operator().get(CATALOGS, {"page_size": 2, "page": 2})
        assert (len(response.json()["results"]), response.json()["next"]) == (1, None)
        assert operator().get(CATALOGS, {"page": 9}).json() == {"detail": "Invalid page."}


class TestRetrieve:
    @pytest.mark.parametrize("text", [str.upper, lambda uuid: uuid.replace("-", ""), str])
    def test_any_form_of_the_uuid(self, text):  # CRUD-6, COM-3
        catalog = make_catalog()
        response = admin().get(f"{CATALOGS}{text(str(catalog.uuid))}/")
        assert (response.status_code, response.json()["uuid"]) == (200, str(catalog.uuid))

    def test_an_unknown_catalog(self):  # CRUD-6, COM-3
        response = admin().get(f"{CATALOGS}{uuid4()}/")
        assert (response.status_code, response.json()) == (
            404,
            {"detail": "No EnterpriseCatalog matches the given query."},
        )

    @pytest.mark.parametrize("text", ["x", "7467c9d2", "%7B7467c9d2-433c-4f7e-ba2e-c5c7798527b2%7D", "1"])
    def test_a_malformed_uuid(self, text):  # COM-3
        response = admin().get(f"{CATALOGS}{text}/")
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})

    def test_published_content_shows(self):  # CRUD-1, ADD-1
        catalog = make_catalog("edX+A")
        answer = admin().get(path_of(catalog)).json()
        assert answer["content_last_modified"].endswith("Z")
        assert answer["content_refreshed_at"].endswith("Z")
        assert answer["content_freshness"] == "fresh"

    def test_content_older_than_a_day_is_stale(self):  # CRUD-1
        catalog = make_catalog("edX+A")
        CatalogQuery.objects.update(refreshed_at=timezone.now() - timedelta(hours=24, seconds=1))
        assert admin().get(path_of(catalog)).json()["content_freshness"] == "stale"

    @pytest.mark.parametrize(
        ("suffix", "accept", "content_type"),
        [
            (".json", "application/xml", "406"),
            (".xml", "*/*", "application/xml; charset=utf-8"),
            ("/?format=xml", "*/*", "application/xml; charset=utf-8"),
            ("", "application/xml", "application/xml; charset=utf-8"),
            ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/xml; charset=utf-8"),
            ("", "*/*", "application/json"),
            ("", "", "application/json"),
            ("", ", application/xml", "application/xml; charset=utf-8"),
            ("/?format=csv", "*/*", "404"),
            ("", "text/csv", "406"),
        ],
    )
    def test_formats(self, suffix, accept, content_type):  # COM-4, COM-5
        response = admin().get(f"{CATALOGS}{make_catalog().uuid}{suffix}", headers={"Accept": accept})
        answered = response["Content-Type"] if response.status_code == 200 else str(response.status_code)
        assert answered == content_type


class TestChange:
    @pytest.fixture
    def path(self):
        admin().post(CATALOGS, body())
        return f"{CATALOGS}{U}/"

    def test_put_replaces(self, path):  # CRUD-7
        response = admin().put(path, body(title="New", uuid="ignored"))
        assert (response.status_code, response.json()["title"]) == (200, "New")

    def test_put_needs_every_required_field(self, path):  # CRUD-7
        response = admin().put(path, {"title": "New"})
        assert response.status_code == 400
        assert set(response.json()) == {
            *["enterprise_customer", "enterprise_customer_name", "enabled_course_modes"],
            *["publish_audit_enrollment_urls", "content_filter"],
        }
        assert EnterpriseCatalog.objects.get().title == "All Content"

    def test_put_of_an_unknown_catalog_makes_none(self):  # CRUD-7
        assert admin().put(f"{CATALOGS}{U}/", body()).status_code == 404

    def test_an_identical_put_changes_nothing(self, path):  # CRUD-1, QRY-9
        before = admin().get(path).json()
        assert admin().put(path, body()).json() == before

    def test_patch_takes_any_subset(self, path):  # CRUD-8
        response = admin().patch(path, {"title": "New"})
        assert (response.status_code, response.json()["title"]) == (200, "New")
        assert EnterpriseCatalog.objects.get().enterprise_name == "Acme, Inc."

    def test_an_empty_patch_changes_nothing(self, path):  # CRUD-8
        assert admin().patch(path, {}).json() == admin().get(path).json()

    def test_a_new_filter_starts_a_refresh(self, path):  # CRUD-10
        response = admin().patch(path, {"content_filter": {"content_type": "program"}})
        assert response["X-Refresh-Run"]

    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_moving_needs_access_to_both_customers(self, path, method):  # PERM-20
        response = getattr(admin(), method)(path, body(enterprise_customer=str(OTHER_CUSTOMER_UUID)))
        assert (response.status_code, response.json()) == (403, {"detail": "MISSING: catalog.has_admin_access"})
        both = client_for("bea", f"enterprise_admin:{CUSTOMER_UUID}", f"enterprise_admin:{OTHER_CUSTOMER_UUID}")
        assert getattr(both, method)(path, body(enterprise_customer=str(OTHER_CUSTOMER_UUID))).status_code == 200

    def test_a_malformed_customer_is_a_field_error(self, path):  # CRUD-2
        assert admin().patch(path, {"enterprise_customer": "x"}).json() == {
            "enterprise_customer": ["Must be a valid UUID."]
        }


def test_delete_is_final():  # CRUD-9
    path = path_of(make_catalog())
    response = admin().delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert admin().delete(path).status_code == 404


class TestRefresh:
    def test_the_waiting_run_is_answered(self):  # REFR-1
        path = path_of(make_catalog(), "refresh_metadata/")
        response = admin().post(path)
        assert response.status_code == 200
        run = RefreshRun.objects.get(state="queued")
        assert response.json() == {"async_task_id": str(run.uuid)}
        assert admin().post(path).json() == response.json()

    def test_get_starts_no_refresh(self):  # REFR-1, ERR-1
        response = admin().get(path_of(make_catalog(), "refresh_metadata/"))
        assert (response.status_code, response.json()) == (405, {"detail": 'Method "GET" not allowed.'})

    def test_any_body_is_ignored(self):  # REFR-1
        path = path_of(make_catalog(), "refresh_metadata/")
        assert admin().post(path, "{", content_type="application/json").status_code == 200


class TestRun:
    def test_the_fields_of_a_run(self):  # RUN-1, RUN-3
        catalog = make_catalog()
        run_id = admin().post(path_of(catalog, "refresh_metadata/")).json()["async_task_id"]
        answer = admin().get(f"/api/v1/refresh-runs/{run_id}/").json()
        assert answer | {"requested_at": None} == {
            "id": run_id,
            "catalog_query_uuid": str(catalog.catalog_query.uuid),
            "state": "queued",
            "trigger": "request",
            "requested_at": None,
            "started_at": None,
            "finished_at": None,
            "counts": None,
            "reason": None,
            "attempts": 0,
        }
        assert answer["requested_at"].endswith("Z")

    def test_a_failure_says_why(self):  # RUN-4
        run_id = admin().post(path_of(make_catalog(), "refresh_metadata/")).json()["async_task_id"]
        RefreshRun.objects.update(state="failed", reason_code="discovery_throttled", reason_detail="429 on page 3")
        answer = admin().get(f"/api/v1/refresh-runs/{run_id}/").json()
        assert answer["reason"] == {"code": "discovery_throttled", "detail": "429 on page 3"}

    def test_counts_in_their_order(self):  # RUN-1, COM-14: MySQL keeps the keys of JSON in an order of its own
        run_id = admin().post(path_of(make_catalog(), "refresh_metadata/")).json()["async_task_id"]
        names = ["fetched", "skipped", "quarantined", "added", "removed", "total"]
        RefreshRun.objects.update(state="published", counts=dict.fromkeys(sorted(names, key=len), 1))
        assert list(admin().get(f"/api/v1/refresh-runs/{run_id}/").json()["counts"]) == names

    @pytest.mark.parametrize("run_id", ["2b1d3c5e-0000-4000-8000-00000000dead", "x", "1"])
    def test_an_unknown_run(self, run_id):  # RUN-5
        response = admin().get(f"/api/v1/refresh-runs/{run_id}/")
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})

    def test_a_run_survives_its_query_for_operators(self):  # RUN-5
        catalog = make_catalog()
        path = f"/api/v1/refresh-runs/{admin().post(path_of(catalog, 'refresh_metadata/')).json()['async_task_id']}/"
        RefreshRun.objects.update(catalog_query=None)
        assert operator().get(path).status_code == 200
        assert admin().get(path).status_code == 403

    def test_runs_are_json_only(self):  # COM-4
        response = admin().get(f"/api/v1/refresh-runs/{uuid4()}/", headers={"Accept": "application/xml"})
        assert response.status_code == 406
