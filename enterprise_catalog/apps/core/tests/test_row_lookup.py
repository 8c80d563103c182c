"""Row look-ups in SQL find the same as querysets."""

from uuid import uuid4

import pytest
from django.utils import timezone

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.db.row_lookup import ModelColumns, RowLookup
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db


def values_of(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def lookup() -> RowLookup[tuple[EnterpriseCatalog, CatalogQuery, EnterpriseCustomer | None]]:
    return RowLookup(
        """
          {catalog}
     JOIN {query} ON {query}.id = {catalog}.catalog_query_id
LEFT JOIN {customer} ON {customer}.uuid = {catalog}.enterprise_uuid
    WHERE {catalog}.uuid = %s
        """,
        lambda catalog, query, customer: (catalog, query, customer),
        catalog=ModelColumns(EnterpriseCatalog),
        query=ModelColumns(CatalogQuery, without=["content_filter"]),
        customer=ModelColumns(EnterpriseCustomer, "slug", "modified"),
    )


def test_joined_rows_take_one_statement(lookup, django_assert_num_queries):
    for made in EnterpriseCatalogFactory.create_batch(2):
        EnterpriseCustomer.objects.create(uuid=made.enterprise_uuid, slug="acme", modified=timezone.now())
        with django_assert_num_queries(1):
            catalog, query, customer = lookup(made.uuid.hex)
        for found in (catalog, query, customer):
            stored = type(found).objects.get(pk=found.pk)
            assert (found, values_of(found)) == (stored, values_of(stored))
            assert not found._state.adding


def test_a_missing_joined_row_is_none(lookup):
    assert lookup(EnterpriseCatalogFactory.create().uuid.hex)[2] is None


def test_other_fields_are_loaded_when_they_are_used(lookup, django_assert_num_queries):
    made = EnterpriseCatalogFactory.create()
    _, query, _ = lookup(made.uuid.hex)
    with django_assert_num_queries(1):
        assert query.content_filter == made.catalog_query.content_filter


def test_an_unknown_value_is_none(lookup):
    assert lookup(uuid4().hex) is None
