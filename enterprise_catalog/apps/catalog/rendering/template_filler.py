"""
Fill the gaps of item templates for one catalog, or for none (META-10..16).

This runs for each item of each page. So it joins bytes, parses no document, and reads neither rows nor other services
(P6).
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

# Increase it when the same rows and settings give other items; otherwise callers would keep the old ones (COM-18).
FILLING_VERSION = 4

# Bytes before the key of a run, the function that encodes the key, bytes after it.
_AroundRun = tuple[bytes, Callable[[str], str], bytes]

_CONTEXT_FIELDS = [field.name for field in fields(UrlContext)]


class TemplateFiller:
    """
    Fill item templates for one catalog. `customer` is the local copy, if there is one yet (CUST-1). No item counts as
    older than `modified` (META-11).
    """

    def __init__(self, *, catalog: EnterpriseCatalog, customer: EnterpriseCustomer | None) -> None:
        self._context = url_context(catalog, customer)
        dates = (catalog.modified, customer.modified if customer else None)
        self.modified = max(date for date in dates if date)
        self._modified_iso = sortable_iso(self.modified)
        self._catalog_modified_iso = sortable_iso(catalog.modified)

    @property
    def inputs(self) -> list[Any]:
        """
        The values that fill templates for the catalog, as JSON values. Items for two catalogs differ only if these do.
        """
        return [FILLING_VERSION, [getattr(self._context, name) for name in _CONTEXT_FIELDS], self._modified_iso]

    def __call__(self, rendered: bytes) -> bytes:
        header, start = _split_header(rendered)
        # Slices of a view are not copied.
        view = memoryview(rendered)
        pieces: list[bytes | memoryview] = []
        if header["runs"]:
            # Only the key differs between the runs of a course.
            before, encode, after = _run_fields(self._context, header["key"])
            for run_key in header["runs"]:
                # `bytes.split` looks at each byte by itself, which takes far longer.
                end = rendered.index(GAP, start)
                pieces += (view[start:end], before, encode(run_key).encode(), after)
                start = end + 1
        pieces += (view[start:], _ending(_item_fields(self._context, header, self._modified_iso)))
        return b"".join(pieces)

    def without_enrollment(self, rendered: bytes) -> bytes:
        """Fill a template without enrollment URLs, and without the customer's date of modification (CUST-6)."""
        header, start = _split_header(rendered)
        fields = _item_fields(self._context, header, self._catalog_modified_iso)
        return _closed(rendered[start:], fields | {name: None for name in fields if name == "enrollment_url"})


def catalog_independent_item(rendered: bytes) -> bytes:
    """Fill a template for no catalog (META-11 to META-16, column "bare")."""
    header, start = _split_header(rendered)
    fields: dict[str, str | None] = {"content_last_modified": api_iso_from_sortable(header["modified"])}
    if header["marketing_url"]:
        fields["marketing_url"] = header["marketing_url"]
    if header["type"] == ContentMetadata.ContentType.PROGRAM:
        fields["enrollment_url"] = None
    return _closed(rendered[start:], fields)


def _split_header(rendered: bytes) -> tuple[TemplateHeader, int]:
    """The header of a template, and where its item begins."""
    end = rendered.index(GAP)
    return orjson.loads(rendered[:end]), end + 1


def _closed(segments: bytes, fields: dict[str, str | None]) -> bytes:
    """An item whose runs have no fields of a catalog."""
    return segments.replace(GAP, b"") + _ending(fields)


def _ending(fields: dict[str, str | None]) -> bytes:
    """The end of an item: fields of its object, and the brace."""
    return b"," + orjson.dumps(fields)[1:]


def url_context(catalog: EnterpriseCatalog, customer: EnterpriseCustomer | None) -> UrlContext:
    """The data from which the URLs of a catalog are made. `customer` is the local copy, if there is one yet."""
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


def _item_fields(context: UrlContext, header: TemplateHeader, oldest: str) -> dict[str, str | None]:
    fields: dict[str, str | None] = {"content_last_modified": api_iso_from_sortable(max(header["modified"], oldest))}
    if header["marketing_url"]:
        fields["marketing_url"] = enrollment_urls.with_utm(context, header["marketing_url"])
    content_type = header["type"]
    if content_type == ContentMetadata.ContentType.PROGRAM:
        fields["enrollment_url"] = None
    if content_type in (ContentMetadata.ContentType.COURSE, ContentMetadata.ContentType.COURSE_RUN):
        fields["enrollment_url"] = _enrollment_url(context, header)
        fields["xapi_activity_id"] = enrollment_urls.xapi_activity_id(
            context, content_type=content_type, content_key=header["key"]
        )
    return fields


def _enrollment_url(context: UrlContext, header: TemplateHeader) -> str | None:
    if header["type"] == ContentMetadata.ContentType.COURSE_RUN:
        return enrollment_urls.run_enrollment_url(context, run_key=header["key"], course_key=header["parent"])
    if header["exec_ed"]:
        return enrollment_urls.exec_ed_enrollment_url(context, course_key=header["key"], sku=header["sku"])
    return enrollment_urls.course_enrollment_url(
        context, course_key=header["key"], advertised_run_key=header["advertised"]
    )


def _run_fields(context: UrlContext, course_key: str) -> _AroundRun:
    """The catalog's fields of a run as JSON, around its key, which needs no escaping there."""
    before, encode, after = enrollment_urls.run_enrollment_urls(context, course_key=course_key)
    opening = orjson.dumps({"parent_content_key": course_key, "enrollment_url": before})
    return b"," + opening[1:].removesuffix(b'"}'), encode, orjson.dumps(after)[1:]
