"""
Model fields that behave alike on SQLite, MySQL and MariaDB.

Content keys compare by code point everywhere, and uuids are stored as 32 hex characters everywhere: MariaDB's native
uuid type sorts by another byte order than Python does, and MySQL has none.
"""

import json
import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

CONTENT_KEY_MAX_LENGTH = 255


def is_storable_key(key: str) -> bool:
    """Return whether a key can be stored; others match nothing (COM-16). Some drivers refuse NUL."""
    return len(key) <= CONTENT_KEY_MAX_LENGTH and "\x00" not in key


class BinaryCollationMixin(models.Field):
    """
    Compare by code point on MySQL and MariaDB, whose default collations ignore case.

    SQLite always does, and does not know the collation's name.
    """

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


class ContentKeyField(BinaryCollationMixin, models.CharField):
    """A content key, compared and sorted by code point (COM-9, COM-12)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", CONTENT_KEY_MAX_LENGTH)
        super().__init__(*args, **kwargs)


class HexUUIDField(models.UUIDField):
    """A uuid as char(32) on every database."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "char(32)"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> str | None:
        value = self.to_python(value)
        return None if value is None else value.hex

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> uuid.UUID | None:
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class ExactCharField(BinaryCollationMixin, models.CharField):
    """Text that is unique, or looked up, exactly as written on every database."""


class JsonTextField(BinaryCollationMixin, models.Field):
    """
    A JSON object or list as text, which comes back as it was written: order of keys, numbers of any size (QRY-10).

    MySQL's own JSON type sorts the keys and turns large numbers into floating-point ones. Nobody can look inside the
    value with a lookup. Django's own JSONField reads and writes the same text, so a column can be changed to this field
    while the previous version is running.
    """

    empty_strings_allowed = False
    description = "A JSON object or list, as text"

    def get_internal_type(self) -> str:
        return "TextField"

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        # ASCII, so that no character set of a database matters.
        return None if value is None else json.dumps(value)

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """Decode the text of a fixture. Raises ValidationError."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValidationError("This is not JSON.", code="invalid") from error

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj))
