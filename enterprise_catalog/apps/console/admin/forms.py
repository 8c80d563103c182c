"""Forms of catalogs and queries. They validate with the same functions as the API, and return values for `services`."""

import json
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from enterprise_catalog.apps.catalog.content_filters.validation import check_content_filter
from enterprise_catalog.apps.catalog.course_modes import UnusableCourseModes, check_course_modes
from enterprise_catalog.apps.catalog.exceptions import UnusableFilter
from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.console.display.html import page_url, pretty
from enterprise_catalog.apps.services.catalogs import CatalogValues
from enterprise_catalog.apps.services.errors import FieldErrors, Gone, NotAllowed, OperationError

_TYPED_LENGTH = 1000


class FilterEditor(forms.Textarea):
    """A text area for JSON with a button "Preview". Its script shows errors and warnings while people type."""

    template_name = "console/filter_editor.html"

    class Media:
        js = ("console/filter-editor.js",)

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 14, "cols": 90, "class": "console-json", "spellcheck": "false"})


class ContentFilterField(forms.CharField):
    """A content filter as JSON text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=FilterEditor(), strip=True, **options)

    def prepare_value(self, value: Any) -> Any:
        return pretty(value) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            json.loads(text)
        except ValueError as error:
            raise ValidationError(f"This is no JSON: {error}.") from error
        except RecursionError:
            pass  # check_content_filter has a better message.
        try:
            return check_content_filter(text)
        except UnusableFilter as error:
            raise ValidationError(str(error)) from error


class QueryChooser(AutocompleteSelect):
    """A box that searches catalog queries as their list does."""

    def __init__(self, site: AdminSite) -> None:
        super().__init__(EnterpriseCatalog._meta.get_field("catalog_query"), site)

    def build_attrs(self, *attributes: Any) -> dict[str, Any]:
        """Add a placeholder, without which screen readers do not say what the box is for."""
        return {
            **super().build_attrs(*attributes),
            "data-placeholder": "Choose a query: title, uuid, catalog or customer",
        }

    def value_from_datadict(self, *sent: Any) -> Any:
        """Return the submitted id, or nothing if it is not a number: Django would query the database for it."""
        value = super().value_from_datadict(*sent)
        return value if str(value).isdecimal() else ""


class CourseModesField(forms.CharField):
    """A list of course modes, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        try:
            return check_course_modes([mode.strip() for mode in text.split(",") if mode.strip()])
        except UnusableCourseModes as error:
            raise ValidationError(str(error)) from error


@dataclass
class AdminRequestState:
    """
    What the views of one admin request hand to its form, since Django calls no hook with both.

    `refusal` is the service's error about the submitted form. `draft` holds values to show in an unsubmitted form in
    place of the stored ones, by field. `shows_version` is true while a page shows an old version of a row.
    """

    refusal: OperationError | None = None
    draft: dict[str, Any] | None = None
    shows_version: bool = False


def request_state(request: HttpRequest) -> AdminRequestState:
    """Return the state of this request, creating it on first use."""
    state: AdminRequestState = vars(request).setdefault("admin_state", AdminRequestState())
    return state


class ServiceForm(forms.ModelForm):
    """Show the submitted values again with the service's error, or a draft in place of the stored values."""

    # `ServiceBackedAdmin.get_form` replaces it.
    request_state = AdminRequestState()
    # Field names of the service that differ from those of the form.
    refused_fields: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request_state.draft is not None and not self.is_bound:
            self.initial = {**self.initial, **self.request_state.draft}
        if "content_filter" in self.fields:
            url = page_url(self._meta.model, "check_filter")
            self.fields["content_filter"].widget.attrs["data-check-url"] = url

    def typed(self) -> dict[str, Any]:
        """Return submitted values that differ from the stored ones, by field, without the filter."""
        names = self.fields if self.instance._state.adding else self.changed_data
        sent = {name: self[name].data for name in names if name != "content_filter"}
        # Longer text fits no field.
        return {name: value[:_TYPED_LENGTH] if isinstance(value, str) else value for name, value in sent.items()}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.request_state.refusal is not None:
            for name, texts in refusal_texts(self.request_state.refusal).items():
                field = self.refused_fields.get(name, name)
                self.add_error(field if field in self.fields else None, texts)
        return cleaned


class CatalogForm(ServiceForm):
    enabled_course_modes = CourseModesField(
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="With commas: verified, professional, no-id-professional, audit, honor, unpaid-executive-education.",
    )
    content_filter = ContentFilterField(
        required=False,
        label="or content filter",
        help_text=(
            "Instead of choosing a query: a search as a JSON object. Catalogs with the same filter share one query, so "
            "one that exists is found. Other catalogs never change; to change a query for all its catalogs, edit the "
            "query."
        ),
    )

    class Meta:
        model = EnterpriseCatalog
        fields = [
            "uuid",
            "title",
            "enterprise_uuid",
            "enterprise_name",
            "enabled_course_modes",
            "publish_audit_enrollment_urls",
            "catalog_query",
        ]
        help_texts = {
            "enterprise_uuid": "Uuid of the customer in the LMS.",
            "enterprise_name": "Stands in enrollment links (utm_source).",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "uuid" in self.fields:
            self.fields["uuid"].help_text = "A new one. Change it only to bring back a catalog that was deleted."
        if "catalog_query" in self.fields:
            chooser = self.fields["catalog_query"]
            chooser.required = False
            # People only choose a query here. They edit it on its own page, which shows who else uses it.
            widget: Any = chooser.widget
            widget.can_add_related = widget.can_change_related = widget.can_delete_related = False

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        content_filter, query = cleaned.get("content_filter"), cleaned.get("catalog_query")
        if content_filter is not None and query is not None and "catalog_query" in self.changed_data:
            self.add_error("content_filter", "Choose a query or write a content filter, not both.")
        if content_filter is None and query is None and not self.errors:
            self.add_error("catalog_query", "Choose a query or write a content filter.")
        return cleaned

    def values(self) -> CatalogValues:
        """Return the values to save. The filter of a chosen query finds that query and never changes it (QRY-1)."""
        values = dict(self.cleaned_data)
        query = values.pop("catalog_query")
        if values["content_filter"] is None:
            del values["content_filter"]
            if "catalog_query" in self.changed_data:
                values["content_filter"] = query.content_filter
        return cast(CatalogValues, values)


class QueryForm(ServiceForm):
    refused_fields = {"query_title": "title"}

    content_filter = ContentFilterField(
        help_text="A search as a JSON object. All catalogs that use this query follow, after one refresh."
    )

    class Meta:
        model = CatalogQuery
        fields = ["title", "content_filter"]
        help_texts = {"title": "Unique among queries. Once there is one it can be changed, but not removed."}

    def clean_title(self) -> str | None:
        title: str | None = self.cleaned_data["title"]
        if title is None and self.instance.title is not None:
            raise ValidationError("Others may rely on the title, so it cannot be removed.")
        return title


def refusal_texts(refusal: OperationError) -> dict[str, list[str]]:
    """Return the messages of a service's error, by field, or under an empty name."""
    if isinstance(refusal, FieldErrors):
        return refusal.errors
    if isinstance(refusal, NotAllowed):
        return {"": ["Your permissions do not reach everything that would change."]}
    if isinstance(refusal, Gone):
        return {"": ["Somebody else deleted or moved it meanwhile."]}
    return {"": [str(refusal)]}
