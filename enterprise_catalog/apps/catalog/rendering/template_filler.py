"""
Link at read: fill the gaps of rendered items for one catalog, or for none (META-10..16).

Everything here happens for each item of each page, so it joins bytes and never parses a document; it reads no rows
and calls nobody (P6).
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import orjson
from django.conf import settings

from enterprise_catalog.apps.catalog.models import ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.rendering import enrollment_urls
from enterprise_catalog.apps.catalog.rendering.enrollment_urls import UrlContext
from enterprise_catalog.apps.catalog.rendering.item_template import GAP, TemplateHeader
from enterprise_catalog.apps.core.datetimes import api_iso_from_sortable, sortable_iso
from enterprise_catalog.apps.customers.models import EnterpriseCustomer

# Raise it when the same rows and settings give other links: what callers hold would count as unchanged (COM-18).
FILLING_VERSION = 3

# Bytes before a run's key, how the key is written between them, bytes after it.
_AroundRun = tuple[bytes, Callable[[str], str], bytes]

_CONTEXT_FIELDS = [field.name for field in fields(UrlContext)]


class TemplateFiller:
    """
    Makes of a rendered item its JSON for one catalog. `customer` is the local copy, if there is one yet (CUST-1). No
    item counts as older than `modified` (META-11).
    """

    def __init__(self, *, catalog: EnterpriseCatalog, customer: EnterpriseCustomer | None) -> None:
        self._context = url_context(catalog, customer)
        moments = (catalog.modified, customer.modified if customer else None)
        self.modified = max(moment for moment in moments if moment)
        self._floor = sortable_iso(self.modified)
        self._floor_of_catalog = sortable_iso(catalog.modified)

    @property
    def inputs(self) -> list[Any]:
        """
        All that items of the catalog say beyond what was rendered, as JSON values: items differ only where these do.
        """
        return [FILLING_VERSION, [getattr(self._context, name) for name in _CONTEXT_FIELDS], self._floor]

    def __call__(self, rendered: bytes) -> bytes:
        facts, start = _opened(rendered)
        pieces: list[bytes] = []
        if facts["runs"]:
            # Only the key differs between the runs of a course.
            before, encode, after = _run_fields(self._context, facts["key"])
            for run_key in facts["runs"]:
                # `bytes.split` looks at each byte by itself, and was the largest part of linking in a profile.
                end = rendered.index(GAP, start)
                pieces += (rendered[start:end], before, encode(run_key).encode(), after)
                start = end + 1
        pieces += (rendered[start:], _ending(_item_fields(self._context, facts, self._floor)))
        return b"".join(pieces)

    def without_enrollment(self, rendered: bytes) -> bytes:
        """But nothing leads to enrollment, and the customer's own changes do not count (CUST-6)."""
        facts, start = _opened(rendered)
        fields = _item_fields(self._context, facts, self._floor_of_catalog)
        return _closed(rendered[start:], fields | {name: None for name in fields if name == "enrollment_url"})


def catalog_independent_item(rendered: bytes) -> bytes:
    """A rendered item as JSON that belongs to no catalog (META-11 to META-16, column "bare")."""
    facts, start = _opened(rendered)
    fields: dict[str, str | None] = {"content_last_modified": api_iso_from_sortable(facts["modified"])}
    if facts["marketing_url"]:
        fields["marketing_url"] = facts["marketing_url"]
    if facts["type"] == ContentMetadata.ContentType.PROGRAM:
        fields["enrollment_url"] = None
    return _closed(rendered[start:], fields)


def _opened(rendered: bytes) -> tuple[TemplateHeader, int]:
    """The facts, and where the item itself begins."""
    end = rendered.index(GAP)
    return orjson.loads(rendered[:end]), end + 1


def _closed(segments: bytes, fields: dict[str, str | None]) -> bytes:
    """An item that says nothing of its runs beyond what was rendered."""
    return segments.replace(GAP, b"") + _ending(fields)


def _ending(fields: dict[str, str | None]) -> bytes:
    """What ends an item: members of its object, and the brace."""
    return b"," + orjson.dumps(fields)[1:]


def url_context(catalog: EnterpriseCatalog, customer: EnterpriseCustomer | None) -> UrlContext:
    slug = (customer.slug or None) if customer else None
    return UrlContext(
        lms_root=settings.LMS_ROOT_URL,
        portal_root=settings.ENTERPRISE_LEARNER_PORTAL_BASE_URL,
        ecommerce_root=settings.ECOMMERCE_BASE_URL,
        catalog_uuid=str(catalog.uuid),
        customer_uuid=str(catalog.enterprise_uuid),
        portal_slug=slug if customer and customer.enable_learner_portal else None,
        customer_slug=slug,
        utm=enrollment_urls.utm_parameters(catalog.enterprise_name or (customer.name if customer else "")),
        audit=catalog.publish_audit_enrollment_urls,
    )


def _item_fields(context: UrlContext, facts: TemplateHeader, floor: str) -> dict[str, str | None]:
    fields: dict[str, str | None] = {"content_last_modified": api_iso_from_sortable(max(facts["modified"], floor))}
    if facts["marketing_url"]:
        fields["marketing_url"] = enrollment_urls.with_utm(context, facts["marketing_url"])
    content_type = facts["type"]
    if content_type == ContentMetadata.ContentType.PROGRAM:
        fields["enrollment_url"] = None
    if content_type in (ContentMetadata.ContentType.COURSE, ContentMetadata.ContentType.COURSE_RUN):
        fields["enrollment_url"] = _enrollment_url(context, facts)
        fields["xapi_activity_id"] = enrollment_urls.xapi_activity_id(
            context, content_type=content_type, content_key=facts["key"]
        )
    return fields


def _enrollment_url(context: UrlContext, facts: TemplateHeader) -> str | None:
    if facts["type"] == ContentMetadata.ContentType.COURSE_RUN:
        return enrollment_urls.run_enrollment_url(context, run_key=facts["key"], course_key=facts["parent"])
    if facts["exec_ed"]:
        return enrollment_urls.exec_ed_enrollment_url(context, course_key=facts["key"], sku=facts["sku"])
    return enrollment_urls.course_enrollment_url(
        context, course_key=facts["key"], advertised_run_key=facts["advertised"]
    )


def _run_fields(context: UrlContext, course_key: str) -> _AroundRun:
    """What a run says beyond what was rendered, as JSON members but for its key, which needs no escape there."""
    before, encode, after = enrollment_urls.run_enrollment_urls(context, course_key=course_key)
    opening = orjson.dumps({"parent_content_key": course_key, "enrollment_url": before})
    return b"," + opening[1:].removesuffix(b'"}'), encode, orjson.dumps(after)[1:]
