"""
Bound the size of the history of catalogs and queries, so that nobody can fill the disk by repeated changes (COM-16).

* Of a query's history rows with the same filter only one has the filter, the others have its hash. A filter may take a
  MiB, and a request of a hundred bytes can rename a query.
* The newest HISTORY_ROWS_KEPT rows of a catalog or query are kept, and of older rows the last of each person and day.
  So nobody can hide a change under many others.

Both happen when a row is written. Writers hold the lock of the catalog or query, so there is one writer at a time.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, Model, Window
from django.db.models.functions import RowNumber, TruncDate
from django.dispatch import receiver
from more_itertools import chunked
from simple_history.signals import post_create_historical_record, pre_create_historical_record

from enterprise_catalog.apps.core.callers import CallerRecords

_ROWS_PER_STATEMENT = 500
_CREATED = "+"


class QueryHistory(CallerRecords):
    """History in which the filter may be missing from a row."""

    def copy_fields(self, model: type[Model]) -> dict[str, Any]:
        fields: dict[str, Any] = super().copy_fields(model)
        fields["content_filter"].null = True
        return fields


@receiver(pre_create_historical_record)
def hold_each_filter_once(sender: Any, history_instance: Any, **_: Any) -> None:
    """Write no filter into a history row if another row of the query has the same one."""
    is_first = history_instance.history_type == _CREATED
    if not is_first and hasattr(history_instance, "content_filter") and _holders(history_instance).exists():
        history_instance.content_filter = None


@receiver(post_create_historical_record)
def thin_history_after_change(sender: Any, history_instance: Any, **_: Any) -> None:
    """Delete the surplus history of the row that was changed."""
    model = sender.instance_type
    if history_instance.history_type != _CREATED:
        thin(model, [getattr(history_instance, model._meta.pk.attname)])


def thin(model: Any, keys: Collection[Any]) -> None:
    """Delete the surplus history of the rows with these keys."""
    rows = _rows(model.history.model)
    key = model._meta.pk.attname
    newest = [F("history_date").desc(), F("history_id").desc()]
    for chunk in chunked(keys, _ROWS_PER_STATEMENT):
        ranked = rows.filter(**{f"{key}__in": chunk}).annotate(
            place=Window(RowNumber(), partition_by=[F(key)], order_by=newest),
            place_of_day=Window(
                RowNumber(), partition_by=[F(key), F("history_user_id"), TruncDate("history_date")], order_by=newest
            ),
        )
        surplus = ranked.filter(place__gt=settings.HISTORY_ROWS_KEPT, place_of_day__gt=1)
        for ids in chunked(surplus.values_list("history_id", flat=True), _ROWS_PER_STATEMENT):
            delete_rows(model, ids)


def delete_rows(model: Any, ids: Sequence[int]) -> int:
    """Delete these history rows and return their number. A filter that other rows need is moved to one of them."""
    rows = _rows(model.history.model)
    if hasattr(model, "content_filter"):
        for row in rows.filter(pk__in=ids, content_filter__isnull=False):
            others = rows.filter(id=row.id, content_filter_hash=row.content_filter_hash).exclude(pk__in=ids)
            keeper = others.order_by("-history_id").values_list("pk", flat=True).first()
            if keeper is not None:
                rows.filter(pk=keeper).update(content_filter=row.content_filter)
    deleted, _ = rows.filter(pk__in=ids).delete()
    return int(deleted)


def hold_filters(rows: Sequence[Any]) -> None:
    """Set the filters that rows of a query's history, as read from the database, have by hash only."""
    found: dict[tuple[int, str], Any] = {}
    for row in rows:
        if row.content_filter is None:
            wanted = (row.id, row.content_filter_hash)
            if wanted not in found:
                found[wanted] = _holders(row).values_list("content_filter", flat=True).first()
            row.content_filter = found[wanted]


def _holders(row: Any) -> Any:
    """The rows of the same query that have the filter with this row's hash."""
    same = _rows(type(row)).filter(id=row.id, content_filter_hash=row.content_filter_hash)
    return same.filter(content_filter__isnull=False)


def _rows(history: Any) -> Any:
    """The rows on the primary, even for readers of a replica: writes depend on them."""
    return history.objects.using(DEFAULT_DB_ALIAS)
