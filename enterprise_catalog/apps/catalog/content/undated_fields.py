"""
Compare documents without their undated fields: top-level fields whose changes are stored and shown, but move no date
(META-21).

Counters change daily and would send every course to every integrated channel again, as would a field that discovery
adds to all records. Pure functions over search documents and full records.
"""

from typing import Any

from django.conf import settings

from enterprise_catalog.apps.core.packed_json import digest


def differs_in_dated_fields(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether the documents differ in more than undated fields."""
    return digest(without_undated_fields(one)) != digest(without_undated_fields(other))


def without_undated_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the document without its undated fields."""
    return {field: value for field, value in document.items() if field not in settings.UNDATED_FIELDS}


def undated_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Return the undated fields of the document."""
    return {field: value for field, value in document.items() if field in settings.UNDATED_FIELDS}
