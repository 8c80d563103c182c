"""
Find violations of the invariants between the tables of the store.

    catalogs    have one open attachment, to their query
    queries     hash and equivalence key are those of the filter, counts are those of the rows
    members     have content with documents, and the visibility that follows from it
    contents    agree with their documents: digests, flags, nested runs, and the item as it would be rendered now

Rows are read in slices, so that memory does not grow with the number of contents or members. Nothing is repaired.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import zstandard
from django.db.models import Count, Exists, F, OuterRef, Q
from more_itertools import chunked

from enterprise_catalog.apps.catalog.api_versions import API_VERSIONS
from enterprise_catalog.apps.catalog.content.course_document import is_restricted, runs_of
from enterprise_catalog.apps.catalog.content.items import Review, build_item
from enterprise_catalog.apps.catalog.content.search_document_variants import variant_of
from enterprise_catalog.apps.catalog.content_filters.hashing import content_filter_hash, equivalence_key
from enterprise_catalog.apps.catalog.models import (
    CatalogContentKey,
    CatalogQuery,
    ContentDocuments,
    ContentMetadata,
    ContentOverride,
    CourseReview,
    EnterpriseCatalog,
    NestedRun,
    Visibility,
)
from enterprise_catalog.apps.catalog.rendering import item_template
from enterprise_catalog.apps.catalog.rendering.item_template import render_template
from enterprise_catalog.apps.catalog.storage.hidden_runs import REPEATING_TYPES, HiddenRuns
from enterprise_catalog.apps.catalog.storage.overrides import allowed_run_keys, override_digest
from enterprise_catalog.apps.catalog.storage.visibility import MemberVisibility, VisibilityRules, is_listed_on_legacy
from enterprise_catalog.apps.core.datetimes import sortable_iso
from enterprise_catalog.apps.core.packed_json import digest, digest_bytes, unpack, unpack_bytes
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

# A filter or a full record may take a megabyte.
_QUERIES_PER_SLICE = 20
_DOCUMENTS_PER_SLICE = 50
_MEMBERS_PER_SLICE = 1000
# Unpacking this number of documents takes a second. `deep` unpacks all.
_SAMPLE = 500

_UNREADABLE = (zstandard.ZstdError, orjson.JSONDecodeError)


@dataclass(frozen=True)
class Violation:
    """A violated rule, its subject, and what was found."""

    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.detail}"


def violations(*, deep: bool) -> Iterator[Violation]:
    """All violations. `deep` checks all documents, otherwise a random sample is checked."""
    yield from _filters()
    yield from _counts()
    yield from _visibility()
    yield from _overrides()
    yield from _orphans()
    yield from _attachments()
    yield from _documents(deep=deep)


def _filters() -> Iterator[Violation]:
    last = 0
    while queries := list(CatalogQuery.objects.filter(pk__gt=last).order_by("pk")[:_QUERIES_PER_SLICE]):
        for query in queries:
            expected = content_filter_hash(query.content_filter), equivalence_key(query.content_filter)
            found = query.content_filter_hash, query.equivalence_key
            for rule, should, does in zip(("filter-hash", "equivalence-key"), expected, found, strict=True):
                if should != does:
                    yield Violation(rule, f"query {query.uuid}", f"{does}, but the filter gives {should}")
        last = queries[-1].pk


def _counts() -> Iterator[Violation]:
    found_by_query = {
        query_id: found
        for query_id, *found in CatalogContentKey.objects.order_by()
        .values("catalog_query_id")
        .annotate(
            members=Count("pk"),
            **{
                api_version.count: Count("pk", filter=Q(**{api_version.visibility: Visibility.LISTED}))
                for api_version in API_VERSIONS
            },
        )
        .values_list("catalog_query_id", "members", *(api_version.count for api_version in API_VERSIONS))
    }
    counted = ["member_count", *(api_version.count for api_version in API_VERSIONS)]
    stored = CatalogQuery.objects.values_list("pk", "uuid", *counted)
    for query_id, uuid, *counts in stored.order_by("pk").iterator():
        found = found_by_query.get(query_id, [0] * len(counted))
        if counts != found:
            detail = f"{counted} should be {found}, but are {counts}"
            yield Violation("counts", f"query {uuid}", detail)


def _visibility() -> Iterator[Violation]:
    last = 0
    while members := list(
        CatalogContentKey.objects.filter(pk__gt=last).select_related("content").order_by("pk")[:_MEMBERS_PER_SLICE]
    ):
        rules = VisibilityRules(
            query_ids={member.catalog_query_id for member in members},
            content_keys=[member.content_id for member in members],
        )
        for member in members:
            found = MemberVisibility.of(member)
            expected = rules.of_member(member.catalog_query_id, member.content)
            if found != expected:
                subject = f"{member.content_id} in query {member.catalog_query_id}"
                detail = f"{tuple(map(int, found))}, but its content says {tuple(map(int, expected))}"
                yield Violation("visibility", subject, detail)
        last = members[-1].pk


def _overrides() -> Iterator[Violation]:
    last = 0
    while rows := list(
        ContentOverride.objects.filter(pk__gt=last)
        .prefetch_related("allowed_runs")
        .order_by("pk")[:_DOCUMENTS_PER_SLICE]
    ):
        for row in rows:
            subject = f"{row.content_id} in query {row.catalog_query_id}"
            if not CatalogContentKey.objects.filter(
                catalog_query=row.catalog_query_id, content=row.content_id
            ).exists():
                yield Violation("orphan-override", subject, "no member")
            if override_digest(row.record, forced=row.forced, allowed_keys=row.allowed_keys) != row.digest:
                yield Violation("override-digest", subject, f"{row.digest} is not that of its record")
            found, expected = {allowed.run_key for allowed in row.allowed_runs.all()}, allowed_run_keys(row)
            if found != expected:
                yield Violation("allowed-runs", subject, f"{sorted(found)}, but its record says {sorted(expected)}")
        last = rows[-1].pk


def _orphans() -> Iterator[Violation]:
    """Check references between rows, also those that foreign keys cannot express or somebody has bypassed."""
    content = ContentMetadata.objects.filter(pk=OuterRef("content_id"))
    query = CatalogQuery.objects.filter(pk=OuterRef("catalog_query_id"))
    course = ContentMetadata.objects.filter(pk=OuterRef("course_id"), content_type=ContentMetadata.ContentType.COURSE)
    documents = ContentDocuments.objects.filter(pk=OuterRef("pk"))
    customer = EnterpriseCustomer.objects.filter(pk=OuterRef("enterprise_uuid"))
    for rule, rows, what in (
        ("orphan-member", CatalogContentKey.objects.filter(~Exists(content)).values_list("content_id"), "no content"),
        ("orphan-member", CatalogContentKey.objects.filter(~Exists(query)).values_list("content_id"), "no query"),
        ("orphan-run", NestedRun.objects.filter(~Exists(course)).values_list("run_key"), "no course"),
        ("orphan-documents", ContentDocuments.objects.filter(~Exists(content)).values_list("pk"), "no content"),
        ("documents-missing", ContentMetadata.objects.filter(~Exists(documents)).values_list("pk"), "no documents"),
        ("orphan-catalog", EnterpriseCatalog.objects.filter(~Exists(query)).values_list("pk"), "no query"),
        ("customer-missing", EnterpriseCatalog.objects.filter(~Exists(customer)).values_list("pk"), "no customer row"),
    ):
        for (subject,) in rows.order_by().iterator():
            yield Violation(rule, str(subject), what)


def _attachments() -> Iterator[Violation]:
    """Check that each catalog has one open attachment, which is to its query (CHG-2)."""
    is_open = Q(attachments__ends_with=None, attachments__isnull=False)
    is_right = is_open & Q(attachments__catalog_query=F("catalog_query"))
    catalogs = EnterpriseCatalog.objects.order_by().annotate(
        open=Count("attachments", filter=is_open), right=Count("attachments", filter=is_right)
    )
    for uuid, found, right in catalogs.exclude(open=1, right=1).values_list("uuid", "open", "right").iterator():
        yield Violation("attachment", f"catalog {uuid}", f"{found} open periods, {right} of its query")


def _documents(*, deep: bool) -> Iterator[Violation]:
    keys = list(ContentMetadata.objects.order_by().values_list("pk", flat=True))
    if not deep and len(keys) > _SAMPLE:
        keys = random.sample(keys, _SAMPLE)
    for chunk in chunked(sorted(keys), _DOCUMENTS_PER_SLICE):
        rows = ContentMetadata.objects.select_related("documents").filter(pk__in=chunk, documents__isnull=False)
        reviews = {
            review.pk: Review(review.reviews_count, review.avg_course_rating)
            for review in CourseReview.objects.filter(pk__in=chunk)
        }
        runs: dict[str, dict[str, bool]] = {}
        for course, run, restricted in NestedRun.objects.filter(course_id__in=chunk).values_list(
            "course_id", "run_key", "restricted"
        ):
            runs.setdefault(course, {})[run] = restricted
        for row in rows.order_by("pk"):
            yield from _content(row, reviews.get(row.pk), runs.get(row.pk, {}))


def _hidden_runs(
    row: ContentMetadata,
    search_document: dict[str, Any],
    full_record: dict[str, Any] | None,
    runs: Mapping[str, bool],
) -> frozenset[str]:
    if row.content_type in REPEATING_TYPES:
        documents = [search_document, full_record or {}]
        return HiddenRuns(documents=documents).of(row.pk, row.content_type)
    return frozenset(run for run, restricted in runs.items() if restricted)


def _content(row: ContentMetadata, review: Review | None, runs: Mapping[str, bool]) -> Iterator[Violation]:
    try:
        search_document = unpack(row.documents.search_document)
        full_record = unpack(row.documents.full_record) if row.documents.full_record else None
        rendered = unpack_bytes(row.documents.rendered)
    except _UNREADABLE as error:
        yield Violation("unreadable-documents", row.pk, type(error).__name__)
        return
    if digest_bytes(rendered) != row.rendered_digest:
        yield Violation("rendered-digest", row.pk, f"{row.rendered_digest!r} is not that of the rendered item")
    item = build_item(
        content_key=row.pk,
        content_type=row.content_type,
        parent_content_key=row.parent_content_key,
        search_document=search_document,
        full_record=full_record,
        review=review,
        hidden_runs=_hidden_runs(row, search_document, full_record, runs),
    )
    for column, expected in _columns(row, search_document, full_record, item).items():
        found = getattr(row, column)
        if found != expected:
            yield Violation("content-column", row.pk, f"{column} is {found!r}, but its documents say {expected!r}")
    if row.content_type == ContentMetadata.ContentType.COURSE:
        yield from _nested_runs(row.pk, runs_of(search_document) | runs_of(full_record or {}), runs)
    # The next refresh renews an older rendering.
    if row.rendering_version == item_template.RENDERING_VERSION:
        fresh = render_template(item, content_key=row.pk, modified=sortable_iso(row.modified))
        if rendered != fresh:
            yield Violation("rendered", row.pk, f"{len(rendered)} bytes that differ from a fresh rendering")


def _columns(
    row: ContentMetadata, search_document: dict[str, Any], full_record: dict[str, Any] | None, item: dict[str, Any]
) -> dict[str, Any]:
    variant = variant_of(search_document, ended_keys=[])
    is_run, is_course = (
        row.content_type == ContentMetadata.ContentType.COURSE_RUN,
        row.content_type == ContentMetadata.ContentType.COURSE,
    )
    columns = {
        "search_digest": variant.core,
        "variant_digest": variant.extras,
        "record_digest": digest(full_record) if full_record is not None else "",
        "active": item["active"] if is_course else True,
        "restricted": is_run and is_restricted(search_document),
    }
    # The previous version, whose rendering is older, may not write the column.
    if row.rendering_version == item_template.RENDERING_VERSION:
        columns["listed_on_legacy"] = is_listed_on_legacy(row.content_type, search_document)
    return columns


def _nested_runs(course: str, expected: Mapping[str, bool], found: Mapping[str, bool]) -> Iterator[Violation]:
    """Check the rows of nested runs. There may be more than in the documents, which contain no ended runs (REFR-13)."""
    for run, restricted in expected.items():
        if run not in found:
            yield Violation("nested-run", f"{run} of {course}", "no row")
        elif found[run] != restricted:
            yield Violation("nested-run", f"{run} of {course}", f"restricted is {found[run]}, not {restricted}")
