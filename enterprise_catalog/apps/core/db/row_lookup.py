"""
Look up one row by SQL, and make model instances of its columns.

Django compiles a queryset each time it is used, which can take longer than the database needs to answer. It also joins
only along foreign keys, and a catalog has none to the copy of its customer.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

from django.db import connections, models, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col

R = TypeVar("R")
# A position in a row, the converters from the driver's value to the model's, and the column.
_Conversion = tuple[int, list[Callable[..., Any]], Col]


class ModelColumns:
    """
    The columns to read of a model: the named fields, or all of them but those in `without`.

    Other fields are loaded when they are used, as with `QuerySet.only`.
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


class RowLookup(Generic[R]):
    """
    Look up a row by one value: `lookup(value)` returns what `make` builds from the row, or None without a row.

    `source` is the SQL after FROM, with one parameter, and with part names in braces for their tables. `make` gets an
    instance for each part by its name, None for one that an outer join did not find.
    """

    def __init__(self, source: str, make: Callable[..., R], **parts: ModelColumns) -> None:
        self._parts = parts
        self._source = source.format(**{name: part.model._meta.db_table for name, part in parts.items()})
        self._make = make
        self._main = next(iter(parts.values())).model
        self._columns = [Col(part.model._meta.db_table, field) for part in parts.values() for field in part.fields]
        self._statement: str | None = None
        # Converters belong to a connection, and each thread has its own connection to each database.
        self._per_thread = threading.local()

    def __call__(self, value: str) -> R | None:
        connection = connections[router.db_for_read(self._main)]
        if self._statement is None:
            # Only names of tables and columns are formatted into the statement; the value is a parameter.
            self._statement = f"SELECT {self._column_names(connection)} FROM {self._source}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(self._statement, [value])
            row = cursor.fetchone()
        return None if row is None else self._make(**self._instances(row, connection))

    def _column_names(self, connection: BaseDatabaseWrapper) -> str:
        quoted = connection.ops.quote_name
        names = ((column.target.model._meta.db_table, cast(str, column.target.column)) for column in self._columns)
        return ", ".join(f"{quoted(table)}.{quoted(column)}" for table, column in names)

    def _instances(self, row: Sequence[Any], connection: BaseDatabaseWrapper) -> dict[str, models.Model | None]:
        values = list(row)
        for position, converters, column in self._converters(connection):
            for convert in converters:
                values[position] = convert(values[position], column, connection)
        found: dict[str, models.Model | None] = {}
        start = 0
        for name, part in self._parts.items():
            own = values[start : start + len(part.fields)]
            start += len(part.fields)
            missing = own[part.key] is None
            found[name] = None if missing else part.model.from_db(connection.alias, part.attributes, own)
        return found

    def _converters(self, connection: BaseDatabaseWrapper) -> list[_Conversion]:
        found: list[_Conversion] | None = getattr(self._per_thread, connection.alias, None)
        if found is None:
            found = [
                (position, converters, column)
                for position, column in enumerate(self._columns)
                # In the order of Django's own compiler.
                if (converters := connection.ops.get_db_converters(column) + column.get_db_converters(connection))
            ]
            setattr(self._per_thread, connection.alias, found)
        return found
