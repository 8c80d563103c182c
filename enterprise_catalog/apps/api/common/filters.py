"""FilterSets of the list endpoints. An empty value does not filter, and an impossible one is 400 with its reason."""

from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from django import forms
from django.conf import settings
from django.core.validators import MaxLengthValidator
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


def require_uuid(text: str) -> None:
    if parse_uuid(text) is None:
        raise forms.ValidationError(INVALID_UUID)


def require_row_id(text: str) -> None:
    if not is_row_id(text):
        raise forms.ValidationError("A valid integer is required.")


class ExactTextFilter(Filter):
    """MariaDB compares text without regard to case, accents and blanks at the end, so digests are compared as well."""

    def filter(self, qs: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return qs
        digest = sha256(value.encode()).hexdigest()
        return qs.alias(digest=SHA256(self.field_name)).filter(**{"digest": digest, self.field_name: value})


class OrderingFilter(Filter):
    """Order by the known names; uuids decide between equal rows, so that pages have one order (COM-9)."""

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
    enterprise_customer = Filter(field_name="enterprise_uuid", validators=[require_uuid])


class LegacyCatalogFilters(CatalogFilters):
    uuid = Filter(validators=[require_uuid])
    title = ExactTextFilter()
    enterprise_catalog_query = Filter(field_name="catalog_query_id", validators=[require_row_id])
    ordering = OrderingFilter(
        validators=[
            MaxLengthValidator(
                settings.ORDERING_MAX_CHARACTERS, "Ensure this field has no more than %(limit_value)d characters."
            )
        ]
    )


def filtered(filters: type[FilterSet], request: Request, rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows that all parameters match, in their order. Raises ValidationError for impossible values."""
    bound: Any = filters(request.query_params, queryset=rows)
    if not bound.is_valid():
        raise ValidationError(bound.errors)
    return bound.qs
