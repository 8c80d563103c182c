"""Store contents and make them members of a query, without a refresh."""

from django.utils import timezone

from enterprise_catalog.apps.catalog.content.prepared_content import prepare_content
from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, ContentMetadata, Visibility
from enterprise_catalog.apps.catalog.storage.content_store import store_contents
from enterprise_catalog.apps.catalog.storage.visibility import build_memberships
from enterprise_catalog.apps.core.packed_json import pack

RUN = "course-v1:edX+DemoX+1T"
OTHER_RUN = "course-v1:edX+DemoX+2T"
OPEN = {"is_enrollable": True, "status": "published", "is_marketable": True}


def store_content(content_type, key, parent=None, record=None, **document):
    """Store a content, and return its row."""
    document = {"content_type": content_type, "key": key, **document}
    content = prepare_content(
        pack(document),
        content_key=key,
        content_type=content_type,
        parent_content_key=parent,
        content_uuid=None,
        now=timezone.now(),
    )
    records = {key: pack(record)} if record else {}
    store_contents(contents=[content], records=records, assert_lease=lambda: None)
    return ContentMetadata.objects.get(pk=key)


def add_member(query, content):
    """Add a content to the members of a query."""
    CatalogContentKey.objects.bulk_create(build_memberships(query=query, contents=[content]))
    listed = CatalogContentKey.objects.filter(catalog_query=query, visibility_v1=Visibility.LISTED).count()
    CatalogQuery.objects.filter(pk=query.pk).update(count_v1=listed)
