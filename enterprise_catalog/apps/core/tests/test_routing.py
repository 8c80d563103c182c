"""Paths match with and without their last slash, and with nothing after it (COM-1, COM-2)."""

import pytest
from rest_framework.test import APIClient

U = "7467c9d2-433c-4f7e-ba2e-c5c7798527b2"
PATHS = [
    "/api/v1/enterprise-catalogs",
    f"/api/v1/enterprise-catalogs/{U}",
    f"/api/v1/enterprise-catalogs/{U}/contains_content_items",
    f"/api/v1/enterprise-catalogs/{U}/get_content_metadata",
    f"/api/v1/enterprise-catalogs/{U}/refresh_metadata",
    f"/api/v1/enterprise-customer/{U}/contains_content_items",
    f"/api/v1/refresh-runs/{U}",
]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
@pytest.mark.parametrize("path", PATHS)
def test_both_forms_answer_without_a_redirect(path, method):  # COM-1, AUTH-7
    for form in (path, f"{path}/"):
        assert getattr(APIClient(), method)(form).status_code == 401


@pytest.mark.parametrize("ending", ["XYZ", "//", "/x", "%0A", ".yaml", ".json/x"])
def test_trailing_garbage_is_not_found(ending):  # COM-2
    assert APIClient().get(f"/api/v1/enterprise-catalogs/{U}/get_content_metadata{ending}").status_code == 404
