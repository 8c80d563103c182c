"""
Look-ups of one row, written in SQL, whose columns become instances of models.

Django compiles a queryset anew each time it is asked. For a catalog with its query that took longer than the database
needed to answer: in a profile, 40 % of a whole `contains` request. And it joins only what a foreign key says, which a
catalog and the copy of its customer do not have.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col

R = TypeVar("R")


class Part:
    """
    What is read of a model: the fields of these names, without names all. The others are loaded when they are needed,
    as with `QuerySet.only`.
    """

    def __init__(self, model: type[models.Model], *names: str, without: Sequence[str] = ()) -> None:
        self.model = model
        wanted = names or [field.name for field in model._meta.concrete_fields]
        self.fields: list[models.Field[Any, Any]] = [
            field
            for field in model._meta.concrete_fields
            if field.primary_key or (field.name in wanted and field.name not in without)
        ]
        self.attributes = [field.attname for field in self.fields]
        self.key = self.fields.index(model._meta.pk)


@dataclass(frozen=True)
class _Prepared:
    """What depends on the connection: the statement, and how each column that needs it becomes a value."""

    statement: str
    converters: list[tuple[int, list[Callable[..., Any]], Col]]


class PreparedLookup(Generic[R]):
    """
    `lookup(value)` is what `make` makes of the row for which the source's one parameter has this value, or None.

    `source` is all that follows FROM, with the names of the parts in braces for their tables. `make` gets an instance
    of each part by its name, None for one that an outer join did not find.
    """

    def __init__(self, source: str, make: Callable[..., R], **parts: Part) -> None:
        self._source = source
        self._make = make
        self._parts = parts
        self._main = next(iter(parts.values())).model
        # Each thread has a connection of its own to each database.
        self._of_thread = threading.local()

    def __call__(self, value: str) -> R | None:
        alias = router.db_for_read(self._main)
        connection = connections[alias]
        prepared: _Prepared | None = getattr(self._of_thread, alias, None)
        if prepared is None:
            prepared = self._prepare(connection)
            setattr(self._of_thread, alias, prepared)
        with connection.cursor() as cursor:
            cursor.execute(prepared.statement, [value])
            row = cursor.fetchone()
        if row is None:
            return None
        values = list(row)
        for place, converters, column in prepared.converters:
            for convert in converters:
                values[place] = convert(values[place], column, connection)
        found: dict[str, models.Model | None] = {}
        start = 0
        for name, part in self._parts.items():
            own = values[start : start + len(part.fields)]
            start += len(part.fields)
            found[name] = None if own[part.key] is None else part.model.from_db(alias, part.attributes, own)
        return self._make(**found)

    def _prepare(self, connection: BaseDatabaseWrapper) -> _Prepared:
        columns = [Col(part.model._meta.db_table, field) for part in self._parts.values() for field in part.fields]
        quoted = connection.ops.quote_name
        names = ", ".join(
            f"{quoted(column.target.model._meta.db_table)}.{quoted(cast(str, column.target.column))}"
            for column in columns
        )
        source = self._source.format(**{name: part.model._meta.db_table for name, part in self._parts.items()})
        return _Prepared(
            # Only names of tables and columns go into the text of a statement; the value is a parameter.
            statement=f"SELECT {names} FROM {source}",  # noqa: S608
            converters=[
                (place, converters, column)
                for place, column in enumerate(columns)
                # As Django's own compiler puts them together.
                if (converters := connection.ops.get_db_converters(column) + column.get_db_converters(connection))
            ],
        )
