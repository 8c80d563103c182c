"""Rows that tests of every room begin with. Contents here have no documents; a refresh makes those."""

from uuid import uuid4

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash, equivalence_key
from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    CatalogQuery,
    ContentMetadata,
    EnterpriseCatalog,
    Visibility,
)
from enterprise_catalog.apps.catalog.storage.visibility import build_memberships
from enterprise_catalog.apps.customers.models import EnterpriseCustomer


class EnterpriseCustomerFactory(DjangoModelFactory[EnterpriseCustomer]):
    class Meta:
        model = EnterpriseCustomer

    uuid = LazyFunction(uuid4)
    slug = Sequence("customer-{}".format)
    name = Sequence("Customer {}".format)


class CatalogQueryFactory(DjangoModelFactory[CatalogQuery]):
    """A query nobody named and nobody refreshed."""

    class Meta:
        model = CatalogQuery

    content_filter = Sequence(lambda n: {"content_type": "course", "partner": f"partner-{n}"})
    content_filter_hash = LazyAttribute(lambda query: content_filter_hash(query.content_filter))
    equivalence_key = LazyAttribute(lambda query: equivalence_key(query.content_filter))


class EnterpriseCatalogFactory(DjangoModelFactory[EnterpriseCatalog]):
    class Meta:
        model = EnterpriseCatalog

    title = Sequence("Catalog {}".format)
    enterprise_uuid = LazyFunction(uuid4)
    enterprise_name = "Acme, Inc."
    catalog_query = SubFactory(CatalogQueryFactory)
    enabled_course_modes = ["verified", "audit"]
    modified = LazyFunction(timezone.now)


class ContentMetadataFactory(DjangoModelFactory[ContentMetadata]):
    """An active course."""

    class Meta:
        model = ContentMetadata

    content_key = Sequence("edX+Course{}".format)
    content_type = ContentMetadata.ContentType.COURSE
    rendering_version = 1
    created = LazyFunction(timezone.now)
    modified = LazyFunction(timezone.now)


def publish_members(query: CatalogQuery, *contents: ContentMetadata | str) -> None:
    """Make these, given as contents or as keys of new courses, the only members, as a publish would leave them."""
    rows = [
        ContentMetadataFactory.create(content_key=content) if isinstance(content, str) else content
        for content in contents
    ]
    members = build_memberships(query=query, contents=rows)
    CatalogContentKey.objects.filter(catalog_query=query).delete()
    CatalogContentKey.objects.bulk_create(members)
    query.member_count = len(members)
    for api_version in API_VERSIONS:
        setattr(
            query,
            api_version.count,
            sum(getattr(member, api_version.visibility) == Visibility.LISTED for member in members),
        )
    query.content_modified = max((row.modified for row in rows), default=None)
    query.published_filter_hash = query.content_filter_hash
    query.refreshed_at = timezone.now()
    query.generation += 1
    query.save()
