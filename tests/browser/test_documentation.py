"""The page that documents the API, in a real browser (SURF-4)."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("path", ["/api/docs", "/api-docs/"])
def test_an_operation_is_found_and_read(admin_browser, live_server, path):
    admin_browser.open(path)
    admin_browser.click("#operations-enterprise-catalogs-get_content_metadata .opblock-summary-control")
    assert admin_browser.reads("In the order of content keys.")
    assert admin_browser.reads("traverse_pagination")
    assert admin_browser.reads("The caller holds this answer already")
    admin_browser.look("an operation")
    assert admin_browser.complaints() == []
    assert {address.startswith(live_server.url) for address in admin_browser.loaded()} == {True}


def test_an_operation_is_tried(admin_browser):
    admin_browser.open("/api/docs/")
    admin_browser.click("#operations-service-get_health .opblock-summary-control")
    admin_browser.click("#operations-service-get_health .try-out__btn")
    admin_browser.click("#operations-service-get_health .execute")
    admin_browser.click("#operations-service-get_health .live-responses-table .response-col_status")
    admin_browser.look("an answer")
    assert admin_browser.reads('"database_status": "OK"')
    assert admin_browser.complaints() == []
