"""A look-up that is compiled once finds what the queryset finds."""

from uuid import uuid4

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.tests.factories import EnterpriseCatalogFactory
from enterprise_catalog.apps.core.prepared import PreparedLookup

pytestmark = pytest.mark.django_db


def values_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def lookup() -> PreparedLookup[EnterpriseCatalog]:
    catalogs = EnterpriseCatalog.objects.select_related("catalog_query").defer("catalog_query__content_filter")
    return PreparedLookup(catalogs, field="uuid")


def test_a_row_and_its_relation_in_one_statement(lookup, django_assert_num_queries):
    for catalog in EnterpriseCatalogFactory.create_batch(2):
        with django_assert_num_queries(1):
            found = lookup(catalog.uuid)
            assert found.catalog_query.pk == catalog.catalog_query_id
        stored = EnterpriseCatalog.objects.get(pk=catalog.uuid)
        assert (found, values_of(found)) == (stored, values_of(stored))
        assert not found._state.adding


def test_what_is_deferred_is_loaded_when_it_is_needed(lookup, django_assert_num_queries):
    catalog = EnterpriseCatalogFactory.create()
    found = lookup(catalog.uuid)
    with django_assert_num_queries(1):
        assert found.catalog_query.content_filter == catalog.catalog_query.content_filter


def test_an_unknown_value_is_none(lookup):
    assert lookup(uuid4()) is None


def test_a_queryset_with_values_of_its_own_is_refused():
    with pytest.raises(ValueError, match="another value"):
        PreparedLookup(EnterpriseCatalog.objects.filter(title="A"), field="uuid")(uuid4())
