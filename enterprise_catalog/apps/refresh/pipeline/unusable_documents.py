"""
Find the stored contents that unusable documents are of: they stay members with what is stored of them (P1, P7).

A document may be unusable this time only, so it removes no member. One whose content was never stored cannot add one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.catalog.models import CatalogContentKey, ContentMetadata
from enterprise_catalog.apps.catalog.storage.stored_contents import stored_contents
from enterprise_catalog.apps.core.uuids import canonical_uuid
from enterprise_catalog.apps.discovery.search_documents import FoundDocument, QuarantinedContent, content_key_error

_KEYS_PER_STATEMENT = 1000


class _Stored(NamedTuple):
    content_key: str
    content_type: str
    restricted: bool


def stored_in_place(
    quarantined: Sequence[QuarantinedContent], *, found: Collection[str]
) -> tuple[list[QuarantinedContent], list[PreparedContent]]:
    """
    Return the unusable documents, reported by the keys of their stored contents, and these contents as they are stored,
    without those that the search found as well.

    A run that became restricted does not keep a stored document that shows it to everybody (V2-2).
    """
    by_key = _stored_by_key({document.readable_key for document in quarantined if document.readable_key})
    without_key = (document for document in quarantined if document.readable_key is None)
    by_uuid = _stored_by_uuid({document.content_uuid for document in without_key if document.content_uuid})
    reported: list[QuarantinedContent] = []
    kept: set[str] = set()
    for document in quarantined:
        key, uuid = document.readable_key, document.content_uuid
        stored = by_key.get(key) if key else by_uuid.get(uuid or "")
        if stored is None or not _is_of(document, stored):
            reported.append(document)
        else:
            kept.add(stored.content_key)
            reported.append(replace(document, content_key=stored.content_key))
    return reported, stored_contents(kept - set(found))


def with_other_key(documents: Iterable[FoundDocument]) -> frozenset[str]:
    """
    Return the uuids of the courses and runs that came without a key and are stored by one.

    By their uuids they would become other contents (REFR-12).
    """
    keyless = {document.content_uuid: document for document in documents if _has_no_key(document)}
    stored = _stored_by_uuid({uuid for uuid in keyless if uuid})
    return frozenset(uuid for uuid, row in stored.items() if row.content_type == keyless[uuid].content_type)


def unusable(document: FoundDocument, reason: str) -> QuarantinedContent:
    """Quarantine a document that was accepted."""
    return QuarantinedContent(
        content_key=document.content_key,
        reason=reason,
        readable_key=None if _has_no_key(document) else document.content_key,
        content_uuid=document.content_uuid,
        content_type=document.content_type,
    )


def _has_no_key(document: FoundDocument) -> bool:
    may_have_no_key = document.content_type not in (
        ContentMetadata.ContentType.COURSE,
        ContentMetadata.ContentType.COURSE_RUN,
    )
    return not may_have_no_key and canonical_uuid(document.content_key) == document.content_uuid is not None


def _is_of(document: QuarantinedContent, stored: _Stored) -> bool:
    shown_to_all = stored.content_type == ContentMetadata.ContentType.COURSE_RUN and not stored.restricted
    return document.content_type in (None, stored.content_type) and not (document.restricted and shown_to_all)


def _stored_by_key(keys: Collection[str]) -> dict[str, _Stored]:
    found = {}
    for chunk in chunked(sorted(keys), _KEYS_PER_STATEMENT):
        for row in ContentMetadata.objects.filter(pk__in=chunk).values_list("pk", "content_type", "restricted"):
            found[row[0]] = _Stored(*row)
    return found


def _stored_by_uuid(uuids: Collection[str]) -> dict[str, _Stored]:
    """Of several contents with one uuid, those that a query contains come first, then the last stored."""
    found = {}
    for chunk in chunked(sorted(uuids), _KEYS_PER_STATEMENT):
        rows = ContentMetadata.objects.filter(content_uuid__in=chunk).annotate(
            contained=Exists(CatalogContentKey.objects.filter(content_id=OuterRef("pk")))
        )
        columns = ("content_uuid", "pk", "content_type", "restricted")
        for uuid, *row in rows.order_by("contained", "modified", "pk").values_list(*columns):
            # The key must be one that callers can ask for, and not the uuid of a document that came without a key.
            if content_key_error(row[0]) is None and canonical_uuid(row[0]) != str(uuid):
                found[str(uuid)] = _Stored(*row)
    return found
