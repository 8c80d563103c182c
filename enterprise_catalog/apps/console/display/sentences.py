"""How the window says what happened: runs, freshness and filter warnings in sentences. Pure: values in, text out."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings

from enterprise_catalog.apps.catalog.content_filters.warnings import FilterWarning
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.core.text import shortened
from enterprise_catalog.apps.refresh.models import FilterPreview, RefreshRun

# QRY-8: what each warning means for the result.
_WARNINGS = {
    "unknown-key": "discovery does not know {key} and ignores it; the result may be far too large",
    "unsupported-lookup": "discovery does not support this lookup and ignores {key}; the result may be far too large",
    "nested-value": "{key} has values inside values, which discovery does not understand",
    "null-value": "{key} has a null, which is not sent to discovery",
    "reserved-key": "{key} is reserved for paging and never sent to discovery",
    "price-not-string": "{key} is a price, which discovery expects as a string",
    "key-not-list": "{key} should be a list",
    "key-phrase": "{key} matches words in a row, so longer keys and course runs come along",
}


def warning_sentences(warnings: Sequence[FilterWarning]) -> list[str]:
    """What looks odd in a filter: the first of it, since a filter may have a hundred thousand odd keys."""
    most = settings.FILTER_WARNINGS_SHOWN
    sentences = [_warning_sentence(warning) for warning in warnings[:most]]
    more = len(warnings) - most
    return sentences if more <= 0 else [*sentences, f"Content filter: {plural(more, 'more warning', 'more warnings')}."]


def _warning_sentence(warning: FilterWarning) -> str:
    known = _WARNINGS.get(warning.code, f"{warning.code} {{key}}")
    key = shortened(warning.key, settings.FILTER_WARNING_KEY_CHARACTERS)
    return f"Content filter: {known.format(key=f'“{key}”')}."


def refreshes(count: int) -> str:
    return plural(count, "refresh", "refreshes")


def run_outcome(run: RefreshRun) -> str:
    """The state of a run, what it found and why it did not publish."""
    counts = run.counts or {}
    found = f", {counts['total']} items (+{counts['added']} -{counts['removed']})" if "total" in counts else ""
    reason = f", {run.reason_code}: {run.reason_detail}" if run.reason_code else ""
    return f"{run.state}{found}{reason}"


def preview_progress(preview: FilterPreview) -> str:
    """How far a preview got, for who waits for it."""
    match preview:
        case FilterPreview(state="queued"):
            return "It waits for a worker."
        case FilterPreview(state="running", requests_expected=None):
            return "Discovery is asked how much there is."
        case FilterPreview(state="running", requests_done=done, requests_expected=expected):
            # A last, empty page is not known before.
            return f"{done} of {max(done, expected or 0)} requests to discovery are answered."
        case FilterPreview(state="done"):
            return "It is done."
    return f"{preview.reason_code}: {preview.reason_detail}"


def late_reason(run: RefreshRun | None) -> str:
    """What the newest run of a late query says about why it is late."""
    match run:
        case None:
            return "no refresh was ever asked for; does beat run?"
        case RefreshRun(state="published", finished_at=finished):
            return f"no refresh was asked for since the last publish at {moment(finished)}; does beat run?"
        case RefreshRun(state="queued", not_before=later, paused_for_budget=True) if later is not None:
            return f"its refresh waits until {moment(later)} for requests that the budget has to give"
        case RefreshRun(state="queued", not_before=later) if later is not None:
            return f"its refresh waits until {moment(later)}, as discovery asked"
        case RefreshRun(state="queued", requested_at=requested):
            return f"its refresh waits since {moment(requested)}; does a worker run?"
        case RefreshRun(state="running", started_at=started):
            return f"its refresh runs since {moment(started)}"
    return f"its last refresh, requested at {moment(run.requested_at)}: {run_outcome(run)}"


def moment(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "a moment nobody knows"


def plural(count: int, what: str, many: str | None = None) -> str:
    return f"{count} {what if count == 1 else many or what + 's'}"


def short_query_name(query: CatalogQuery) -> str:
    return query.title or short(query.uuid)


def short(uuid: UUID) -> str:
    """Enough of a uuid to tell it from its neighbours in a list."""
    return f"{str(uuid)[:8]} ..."


def query_name(query: CatalogQuery) -> str:
    return f"{query.title} ({query.uuid})" if query.title else str(query.uuid)
