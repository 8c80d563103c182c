"""
Read one course, run or program of a catalog from its full record, for the legacy API (LEG-15 to LEG-17).

What v1 contains is found here, and what v1 hides is not. One document is read and parsed, in the same snapshot as its
membership (P2). All functions return None if the query does not contain the record.
"""

from typing import Any

import orjson

from enterprise_catalog.apps.catalog.api_versions import LEGACY
from enterprise_catalog.apps.catalog.content.course_document import nested_runs
from enterprise_catalog.apps.catalog.content.restricted_runs import named_keys, without_restricted_runs
from enterprise_catalog.apps.catalog.models import ContentDocuments, ContentMetadata, ContentOverride
from enterprise_catalog.apps.catalog.reading.containment import find_matches
from enterprise_catalog.apps.catalog.reading.identifiers import key_forms
from enterprise_catalog.apps.core.db.snapshots import snapshot
from enterprise_catalog.apps.core.packed_json import unpack, unpack_bytes


@snapshot()
def course_record(*, query_id: int, course_key: str) -> dict[str, Any] | None:
    """The full record of a contained course. `org/num` is an older form of `org+num` (LEG-15)."""
    for key in dict.fromkeys([course_key, course_key.replace("/", "+")]):
        if _members_through(query_id, key):
            return _record(query_id, key, ContentMetadata.ContentType.COURSE)
    return None


@snapshot()
def run_record(*, query_id: int, run_key: str) -> dict[str, Any] | None:
    """A contained run as its course's full record describes it, else its own search document."""
    members = _members_through(query_id, run_key)
    if not members:
        return None
    own = ContentMetadata.objects.filter(
        pk=run_key, content_type=ContentMetadata.ContentType.COURSE_RUN, restricted=False
    ).first()
    courses = members - {run_key} | ({own.parent_content_key} if own and own.parent_content_key else set())
    for course_key in sorted(courses):
        course = _record(query_id, course_key, ContentMetadata.ContentType.COURSE)
        for run in nested_runs(course or {}):
            if run["key"] == run_key:
                return run
    return without_restricted_runs(unpack(own.documents.search_document)) if own else None


@snapshot()
def program_record(*, query_id: int, program_uuid: str) -> dict[str, Any] | None:
    """The full record of a contained program; its uuid may have any form."""
    members = _members_through(query_id, *key_forms(program_uuid))
    key = next((key for key in key_forms(program_uuid) if key in members), None)
    return _record(query_id, key, ContentMetadata.ContentType.PROGRAM) if key else None


def _members_through(query_id: int, *keys: str) -> set[str]:
    return {match.member for match in find_matches(query_ids=[query_id], keys=keys, api_version=LEGACY)}


def _record(query_id: int, content_key: str, content_type: ContentMetadata.ContentType) -> dict[str, Any] | None:
    """The record as this query shows it, without what v1 hides."""
    forced = ContentOverride.objects.filter(catalog_query_id=query_id, content_id=content_key, forced=True)
    if packed := forced.values_list("search_document", flat=True).first():
        return without_restricted_runs(unpack(packed))
    shared = ContentDocuments.objects.filter(pk=content_key, content__content_type=content_type)
    row = shared.values_list("full_record", "rendered").first()
    if row is None or row[0] is None:
        return None
    record, rendered = unpack(row[0]), unpack_bytes(row[1])
    # A course says itself which of its runs are restricted. Those that a program names are not in its stored item.
    hidden = (
        [key for key in named_keys(record) if orjson.dumps(key) not in rendered]
        if content_type == ContentMetadata.ContentType.PROGRAM
        else ()
    )
    return without_restricted_runs(record, names=hidden)
