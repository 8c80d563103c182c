"""Factories of rows. Contents have no documents; `testing.catalogs` stores contents with theirs."""

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
    """A query without a title that was never refreshed."""

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
    """Make these contents, or new courses with these keys, the only members, as a publish would."""
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
