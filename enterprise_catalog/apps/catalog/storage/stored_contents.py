"""Read stored contents as if a search had found them again, for documents that cannot be used this time (P7)."""

from collections.abc import Collection

from django.db.models import F
from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.catalog.models import ContentMetadata, NestedRun
from enterprise_catalog.apps.catalog.storage.comparison import stored_variant

_DOCUMENTS_PER_STATEMENT = 50


def stored_contents(content_keys: Collection[str]) -> list[PreparedContent]:
    """Return these contents with their stored search documents, as if a search had found them again (P7)."""
    contents = []
    for keys in chunked(sorted(content_keys), _DOCUMENTS_PER_STATEMENT):
        runs: dict[str, dict[str, bool]] = {}
        nested = NestedRun.objects.filter(course_id__in=keys).values_list("course_id", "run_key", "restricted")
        for course, run, restricted in nested:
            runs.setdefault(course, {})[run] = restricted
        rows = ContentMetadata.objects.filter(pk__in=keys, documents__isnull=False).annotate(
            search_document=F("documents__search_document")
        )
        contents += [
            PreparedContent(
                content_key=row.pk,
                content_type=row.content_type,
                parent_content_key=row.parent_content_key,
                content_uuid=str(row.content_uuid) if row.content_uuid else None,
                restricted=row.restricted,
                search_document=row.search_document,
                variant=stored_variant(row),
                runs=runs.get(row.pk, {}),
            )
            for row in rows.order_by("pk")
        ]
    return contents
