"""FilterSets of the list endpoints. An empty value does not filter, and an impossible one is 400 with its reason."""

from hashlib import sha256
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django import forms
from django.conf import settings
from django.db.models import Model, QuerySet
from django.db.models.functions import SHA256
from django_filters import Filter, FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from enterprise_catalog.apps.api.common.params import INVALID_UUID, is_row_id
from enterprise_catalog.apps.core.uuids import parse_uuid

Row = TypeVar("Row", bound=Model)

# What the legacy list may be ordered by: the names that callers use, and the columns.
ORDERING_COLUMNS = {
    "uuid": "uuid",
    "title": "title",
    "enterprise_customer": "enterprise_uuid",
    "enterprise_catalog_query": "catalog_query_id",
    "created": "created",
    "modified": "modified",
}


class StrictUUIDFormField(forms.Field):
    """A uuid as the API takes it in paths and bodies, too."""

    def to_python(self, value: str | None) -> UUID | None:
        uuid = parse_uuid(value)
        if value and uuid is None:
            raise forms.ValidationError(INVALID_UUID)
        return uuid


class UUIDFilter(Filter):
    field_class = StrictUUIDFormField


class RowIdFormField(forms.Field):
    def to_python(self, value: str | None) -> int | None:
        if value and not is_row_id(value):
            raise forms.ValidationError("A valid integer is required.")
        return int(value) if value else None


class RowIdFilter(Filter):
    field_class = RowIdFormField


class ExactTextFilter(Filter):
    """MariaDB compares text without regard to case, accents and blanks at the end, so digests are compared as well."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return qs
        digest = sha256(value.encode()).hexdigest()
        return qs.alias(digest=SHA256(self.field_name)).filter(**{"digest": digest, self.field_name: value})


class OrderingFormField(forms.Field):
    def validate(self, value: str | None) -> None:
        most = settings.ORDERING_MAX_CHARACTERS
        if value and len(value) > most:
            raise forms.ValidationError(f"Ensure this field has no more than {most} characters.")


class OrderingFilter(Filter):
    """Order by the known names; uuids decide between equal rows, so that pages have one order (COM-9)."""

    field_class = OrderingFormField

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        known = [
            f"{'-' if name.startswith('-') else ''}{ORDERING_COLUMNS[name.removeprefix('-')]}"
            for name in (value or "").replace(" ", "").split(",")
            if name.removeprefix("-") in ORDERING_COLUMNS
        ]
        return qs.order_by(*(known or ["created"]), "uuid")


class ListFilters(FilterSet):
    """Build the form's class once; the library builds one per request, which costs more than the filters do."""

    _forms: ClassVar[dict[type, type[forms.Form]]] = {}

    def get_form_class(self) -> type[forms.Form]:
        filters = type(self)
        if filters not in self._forms:
            self._forms[filters] = super().get_form_class()
        return self._forms[filters]


class CatalogFilters(ListFilters):
    enterprise_customer = UUIDFilter(field_name="enterprise_uuid")


class LegacyCatalogFilters(CatalogFilters):
    uuid = UUIDFilter()
    title = ExactTextFilter()
    enterprise_catalog_query = RowIdFilter(field_name="catalog_query_id")
    ordering = OrderingFilter()


def filtered(filters: type[FilterSet], request: Request, rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows that all parameters match, in their order. Raises ValidationError for impossible values."""
    bound: Any = filters(request.query_params, queryset=rows)
    if not bound.is_valid():
        raise ValidationError(bound.errors)
    return bound.qs
