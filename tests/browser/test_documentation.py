"""The page that documents the API, in a real browser (SURF-4)."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("path", ["/api/docs", "/api-docs/"])
def test_an_operation_is_found_and_read(chrome, live_server, path):
    chrome.open(path)
    chrome.click("#operations-enterprise-catalogs-get_content_metadata .opblock-summary-control")
    assert chrome.reads("In the order of content keys.")
    assert chrome.reads("traverse_pagination")
    assert chrome.reads("The caller holds this answer already")
    chrome.look("an operation")
    assert chrome.complaints() == []
    assert {address.startswith(live_server.url) for address in chrome.loaded()} == {True}


def test_an_operation_is_tried(chrome):
    chrome.open("/api/docs/")
    chrome.click("#operations-service-get_health .opblock-summary-control")
    chrome.click("#operations-service-get_health .try-out__btn")
    chrome.click("#operations-service-get_health .execute")
    chrome.click("#operations-service-get_health .live-responses-table .response-col_status")
    chrome.look("an answer")
    assert chrome.reads('"database_status": "OK"')
    assert chrome.complaints() == []
