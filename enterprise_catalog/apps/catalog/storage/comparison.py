"""Compare a prepared content with what is stored of it, to decide what is stored and whether its date moves."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from more_itertools import chunked

from enterprise_catalog.apps.catalog.content.prepared_content import PreparedContent
from enterprise_catalog.apps.catalog.content.search_document_variants import Variant, choose_document
from enterprise_catalog.apps.catalog.content.undated_fields import differs_in_dated_fields
from enterprise_catalog.apps.catalog.models import ContentDocuments, ContentMetadata
from enterprise_catalog.apps.catalog.rendering import item_template
from enterprise_catalog.apps.core.packed_json import pack, unpack

_KEYS_PER_STATEMENT = 1000


class StoredState(NamedTuple):
    """The columns of a stored content that show whether a new document differs from it."""

    search_digest: str
    variant_rank: str
    variant_digest: str
    record_digest: str
    rendering_version: int


def stored_states(content_keys: Sequence[str]) -> dict[str, StoredState]:
    """The states of those of these keys that are stored."""
    states = {}
    for chunk in chunked(content_keys, _KEYS_PER_STATEMENT):
        rows = ContentMetadata.objects.filter(pk__in=chunk).values_list("pk", *StoredState._fields)
        states.update({key: StoredState(*columns) for key, *columns in rows})
    return states


def stored_variant(stored: StoredState | ContentMetadata) -> Variant:
    """Return the variant of a stored search document."""
    return Variant(core=stored.search_digest, rank=stored.variant_rank, extras=stored.variant_digest)


def search_differs(content: PreparedContent, stored: StoredState | ContentMetadata | None) -> bool:
    """True if this search document should replace the stored one."""
    return stored is None or content.variant.replaces(stored_variant(stored))


def differs(
    content: PreparedContent, stored: StoredState | ContentMetadata | None, record_digests: Mapping[str, str]
) -> bool:
    """Return whether a content has to be stored: it is new, or a document or the way of rendering changed."""
    if stored is None or stored.rendering_version != item_template.RENDERING_VERSION or search_differs(content, stored):
        return True
    return record_digests.get(content.content_key, stored.record_digest) != stored.record_digest


def search_to_store(
    content: PreparedContent, before: ContentMetadata | None, documents: ContentDocuments | None
) -> tuple[bytes | memoryview, Variant, bool]:
    """Return the search document to store, its variant, and whether the date of the content moves (META-21)."""
    if before is None or documents is None:
        return content.search_document, content.variant, search_differs(content, before)
    if not search_differs(content, before):
        return documents.search_document, stored_variant(before), False
    stored, new = unpack(documents.search_document), unpack(content.search_document)
    chosen, variant = choose_document(
        stored_document=stored, stored=stored_variant(before), new_document=new, new=content.variant
    )
    packed = content.search_document if chosen is new else pack(chosen)
    return packed, variant, differs_in_dated_fields(stored, chosen)


def record_changed(
    before: ContentMetadata | None,
    stored_record: bytes | memoryview | None,
    record: dict[str, Any] | None,
    record_digest: str,
) -> bool:
    """Return whether a full record moves the date of the content (META-21)."""
    if before is None or record is None or record_digest == before.record_digest:
        return False
    return stored_record is None or differs_in_dated_fields(unpack(stored_record), record)
