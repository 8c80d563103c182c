"""The two endpoints about hashes, as the released client asks them: by a form in the body of a GET (CLI-8, CQ-2..4)."""

from uuid import uuid4

import pytest
from requests.exceptions import HTTPError

from tests.clients.lms.people import make_catalog, make_query

pytestmark = pytest.mark.django_db

DEFAULT_FILTER = {
    "content_type": "course",
    "partner": "edx",
    "level_type": ["Introductory", "Intermediate", "Advanced"],
    "availability": ["Current", "Starting Soon", "Upcoming"],
    "status": "published",
}


@pytest.mark.parametrize(
    ("content_filter", "expected"),
    [
        ({}, "99914b932bd37a50b983c5e7c90ae93b"),
        ({"content_type": "course"}, "030f6213522a24bfdc11eb0988adee2c"),
        ({"content_type": ["course", "program"]}, "fcbabe3dc8a1647ae9efbcc316945633"),
        ({"content_type": ["program", "course"]}, "364b8bd808b73d44798977f33baa5717"),
        ({"partner": "edx", "content_type": "course"}, "6a612a7fececa5f9209cf73551613d9a"),
        ({"content_type": "course", "partner": "edx"}, "6a612a7fececa5f9209cf73551613d9a"),
        ({"first_enrollable_paid_seat_price__lte": "50"}, "9bce985c32b72bc7b9b55d32de72ec16"),
        (
            {"organizations": "UniversitéX: Université", "content_type": "course"},
            "1d9009e1ce6342ea39387f6f9a0ace34",
        ),
        ({"organizations": "数学"}, "0c6cb941733e329fd3fdb861657b3b5d"),
        ({"subjects": 'Math "&" Logic'}, "03c855825aa2085a8f7b49478ddbf4aa"),
        (DEFAULT_FILTER, "13f6ce14cd7879ef535e777c61e06f08"),
        # A form does not tell a list of one from its element (CQ-4); the service has no way to know.
        ({"content_type": ["course"]}, "030f6213522a24bfdc11eb0988adee2c"),
    ],
)
def test_the_hash_of_a_filter(client, content_filter, expected):  # HASH-1, CQ-4
    assert client.get_catalog_query_hash(content_filter) == expected


def test_a_query_is_found_by_its_hash(client, customer, content_filter):
    """`uuid` and `title` are what the form shows (CQ-2)."""
    query = make_query(content_filter(0, 2), title=f"Query {uuid4()}")
    make_catalog(customer, query)
    found = client.get_enterprise_catalog_by_hash(client.get_catalog_query_hash(query.content_filter))
    assert (found["uuid"], found["title"]) == (str(query.uuid), query.title)
    assert found["content_filter"] == query.content_filter


@pytest.mark.parametrize(
    ("hash_value", "status"), [(uuid4().hex, "404 Client Error"), ("nonsense", "400 Client Error"), ("", "400 Client")]
)
def test_no_query_is_an_error_of_its_own(client, complaints, hash_value, status):
    """The client raises, unless told to answer `{}` (CQ-2)."""
    with pytest.raises(HTTPError, match=status):
        client.get_enterprise_catalog_by_hash(hash_value)
    assert client.get_enterprise_catalog_by_hash(hash_value, should_raise_exception=False) == {}
    assert [status in complaint for complaint in complaints.take()] == [True, True]
