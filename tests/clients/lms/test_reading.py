"""What the released client reads of a large catalog: page by page, by keys, by questions (CLI-3 to CLI-7)."""

import pytest
from enterprise.utils import get_content_metadata_item_id

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def walked(large, django_db_blocker):
    """Everything the catalog lists, as exporters read it: in pages of 50."""
    from enterprise.api_client.enterprise_catalog import EnterpriseCatalogApiClient

    with django_db_blocker.unblock():
        return EnterpriseCatalogApiClient().get_content_metadata(large.enterprise_customer, [large])


def whole(client, catalog):
    """The same in one answer (META-3)."""
    url = client.get_api_url(client.GET_CONTENT_METADATA_ENDPOINT.format(catalog.uuid))
    return client.client.get(url, params={"traverse_pagination": True}).json()["results"]


def test_a_walk_yields_each_of_more_than_a_thousand_items_once(client, large, walked):
    """CLI-3, CLI-4, META-6, COM-9, COM-10: the client drops what comes twice, so the count tells."""
    keys = [get_content_metadata_item_id(item) for item in walked]
    assert len(keys) > 1000
    assert keys == sorted(set(keys))
    assert client.get_catalog_content_count(large.uuid) == len(keys)
    assert keys == [get_content_metadata_item_id(item) for item in whole(client, large)]
    assert {item["content_type"] for item in walked} == {"course", "courserun", "program", "learnerpathway"}
    assert any("+" in key for key in keys)
