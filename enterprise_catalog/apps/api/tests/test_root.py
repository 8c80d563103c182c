"""The links at `/`."""

import pytest


@pytest.mark.django_db
def test_the_root_names_addresses_that_answer(client):
    addresses = client.get("/").json()
    assert list(addresses) == ["documentation", "schema", "health", "admin"]
    assert {what: client.get(address, follow=True).status_code for what, address in addresses.items()} == {
        "documentation": 200,
        "schema": 200,
        "health": 200,
        "admin": 200,
    }


def test_the_root_is_read_only(client):
    assert client.post("/").status_code == 405
