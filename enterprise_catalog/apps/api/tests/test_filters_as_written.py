"""A content filter comes back as its caller wrote it, on every database (QRY-10)."""

import itertools
import json
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.refresh.models import FilterPreview
from enterprise_catalog.apps.services.filter_previews import preview_filter
from enterprise_catalog.testing.callers import operator
from enterprise_catalog.testing.catalogs import make_catalog, path_of
from enterprise_catalog.testing.properties import examples
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

ODD = (
    f'{{"z": 1, "a": {{"c": {10**400}, "b": [1.50, -0.0, 1e22, 18446744073709551616]}}, '
    '"": "\\u0000 \U0001f393", "B": []}'
)
_numbers = itertools.count()

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMBERS = st.integers() | st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def written(text: str | bytes) -> Any:
    """Decode JSON text with lists of pairs for objects, whose order and types compare exactly."""
    return json.loads(text, object_pairs_hook=lambda pairs: ["object", pairs], parse_int=str, parse_float=str)


def send(catalog, content_filter: str) -> Any:
    """Save the text of a filter by PATCH, and return the filter as GET shows it."""
    body = f'{{"content_filter": {content_filter}}}'
    response = operator().patch(path_of(catalog), body, content_type="application/json")
    assert response.status_code == 200, response.content
    uuid = response.json()["catalog_query_uuid"]
    shown = operator().get(f"/api/v1/catalog-queries/{uuid}/")
    return dict(written(shown.content)[1])["content_filter"]


def test_an_odd_filter_comes_back_as_written():  # QRY-10
    catalog = make_catalog()
    assert send(catalog, ODD) == written(json.dumps(json.loads(ODD)))
    query = CatalogQuery.objects.get(catalogs=catalog)
    stored = query.history.first().content_filter
    assert json.dumps(stored) == json.dumps(query.content_filter) == json.dumps(json.loads(ODD))


def test_text_of_a_filter_comes_back_as_written():  # QRY-10, CRUD-2
    assert send(make_catalog(), json.dumps(ODD)) == written(json.dumps(json.loads(ODD)))


@given(st.dictionaries(TEXT, VALUES, max_size=5))
@examples(50)
def test_every_filter_comes_back_as_written(content_filter):  # QRY-10
    """Each has a key of its own, because equal filters share a query, which keeps the first order (HASH-1)."""
    text = json.dumps(content_filter | {f"number {next(_numbers)}": 1})
    assert send(make_catalog(), text) == written(text)


def test_the_same_filter_in_another_order_is_the_same_query():  # QRY-10, HASH-1
    catalog = make_catalog()
    assert send(catalog, '{"b": 1, "a": 2}') == written('{"b": 1, "a": 2}')
    assert send(catalog, '{"a": 2, "b": 1}') == written('{"b": 1, "a": 2}')


def test_a_preview_keeps_the_filter_as_written():  # QRY-10
    preview = preview_filter(content_filter=json.loads(ODD))
    assert json.dumps(FilterPreview.objects.get(pk=preview.pk).content_filter) == json.dumps(json.loads(ODD))


def test_a_fixture_keeps_the_filter_as_written(tmp_path):  # QRY-10
    query = make_query(json.loads(ODD))
    file = tmp_path / "queries.json"
    call_command("dumpdata", "catalog.catalogquery", output=str(file), verbosity=0)
    CatalogQuery.objects.all().delete()
    call_command("loaddata", str(file), verbosity=0)
    assert json.dumps(CatalogQuery.objects.get(pk=query.pk).content_filter) == json.dumps(json.loads(ODD))
