"""
Look-ups of one row, written in SQL, whose columns become instances of models.

Django compiles a queryset anew each time it is asked. For a catalog with its query that took longer than the database
needed to answer: in a profile, 40 % of a whole `contains` request. And it joins only what a foreign key says, which a
catalog and the copy of its customer do not have.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col

R = TypeVar("R")
# A place in a row, what makes its value of what the driver brings, and the column.
_Conversion = tuple[int, list[Callable[..., Any]], Col]


class ModelColumns:
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


class JoinedColumns:
    """
    The columns of several parts, as SQL and as the instances that a row of them makes. In `tables`, the name of a part
    stands for its table.
    """

    def __init__(self, **parts: ModelColumns) -> None:
        self._parts = parts
        self.tables = {name: part.model._meta.db_table for name, part in parts.items()}
        self._columns = [Col(part.model._meta.db_table, field) for part in parts.values() for field in part.fields]
        # Each thread has a connection of its own to each database, which the converters belong to.
        self._of_thread = threading.local()

    def names(self, connection: BaseDatabaseWrapper) -> str:
        """What follows SELECT."""
        quoted = connection.ops.quote_name
        names = ((column.target.model._meta.db_table, cast(str, column.target.column)) for column in self._columns)
        return ", ".join(f"{quoted(table)}.{quoted(column)}" for table, column in names)

    def instances(self, row: Sequence[Any], connection: BaseDatabaseWrapper) -> dict[str, models.Model | None]:
        """An instance of each part by its name, None for one that an outer join did not find."""
        values = list(row)
        for place, converters, column in self._converters(connection):
            for convert in converters:
                values[place] = convert(values[place], column, connection)
        found: dict[str, models.Model | None] = {}
        start = 0
        for name, part in self._parts.items():
            own = values[start : start + len(part.fields)]
            start += len(part.fields)
            missing = own[part.key] is None
            found[name] = None if missing else part.model.from_db(connection.alias, part.attributes, own)
        return found

    def _converters(self, connection: BaseDatabaseWrapper) -> list[_Conversion]:
        found: list[_Conversion] | None = getattr(self._of_thread, connection.alias, None)
        if found is None:
            found = [
                (place, converters, column)
                for place, column in enumerate(self._columns)
                # As Django's own compiler puts them together.
                if (converters := connection.ops.get_db_converters(column) + column.get_db_converters(connection))
            ]
            setattr(self._of_thread, connection.alias, found)
        return found


class RowLookup(Generic[R]):
    """
    `lookup(value)` is what `make` makes of the row for which the source's one parameter has this value, or None.

    `source` is all that follows FROM, with the names of the parts in braces for their tables. `make` gets an instance
    of each part by its name, None for one that an outer join did not find.
    """

    def __init__(self, source: str, make: Callable[..., R], **parts: ModelColumns) -> None:
        self._columns = JoinedColumns(**parts)
        self._source = source.format(**self._columns.tables)
        self._make = make
        self._main = next(iter(parts.values())).model
        self._statement: str | None = None

    def __call__(self, value: str) -> R | None:
        connection = connections[router.db_for_read(self._main)]
        if self._statement is None:
            # Only names of tables and columns go into the text of a statement; the value is a parameter.
            self._statement = f"SELECT {self._columns.names(connection)} FROM {self._source}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(self._statement, [value])
            row = cursor.fetchone()
        return None if row is None else self._make(**self._columns.instances(row, connection))
