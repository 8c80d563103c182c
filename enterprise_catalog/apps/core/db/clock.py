"""Read the database's clock, as a value or in a statement."""

from datetime import UTC, datetime
from typing import Any, cast

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now

from enterprise_catalog.apps.core.db.replica import read_connection


class DatabaseNow(Now):
    """
    The database's time in UTC, as an expression.

    `NOW()` would follow the session's time zone, and clocks of workers may be wrong.
    """

    def as_mysql(
        self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **extra)


def database_now() -> datetime:
    """Return the database's time, for datetimes that are compared between workers."""
    connection = read_connection()
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SELECT UTC_TIMESTAMP(6)")
            return cast(datetime, cursor.fetchone()[0]).replace(tzinfo=UTC)
    # SQLite uses this machine's clock.
    return datetime.now(tz=UTC)
