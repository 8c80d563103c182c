"""The page that documents the API, in a real browser (SURF-4)."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("path", ["/api/docs", "/api-docs/"])
def test_an_operation_is_found_and_read(desk, live_server, path):
    desk.open(path)
    desk.click("#operations-enterprise-catalogs-get_content_metadata .opblock-summary-control")
    assert desk.reads("In the order of content keys.")
    assert desk.reads("traverse_pagination")
    assert desk.reads("The caller holds this answer already")
    desk.look("an operation")
    assert desk.complaints() == []
    assert {address.startswith(live_server.url) for address in desk.loaded()} == {True}


def test_an_operation_is_tried(desk):
    desk.open("/api/docs/")
    desk.click("#operations-service-get_health .opblock-summary-control")
    desk.click("#operations-service-get_health .try-out__btn")
    desk.click("#operations-service-get_health .execute")
    desk.click("#operations-service-get_health .live-responses-table .response-col_status")
    desk.look("an answer")
    assert desk.reads('"database_status": "OK"')
    assert desk.complaints() == []
