"""
Read query parameters and JSON bodies: booleans, content keys, lists and their limits (COM-11, COM-12, COM-16).

Every function returns a valid value or raises 400 with the contract's words. None reads the database.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from enterprise_catalog.apps.catalog.reading.identifiers import (
    Identifier,
    key_forms,
    number_of_parts,
    read_identifier,
    read_identifiers,
)
from enterprise_catalog.apps.core.rest.exceptions import BodyTooLarge, LengthRequired
from enterprise_catalog.apps.core.uuids import parse_uuid

ListOrNone = TypeVar("ListOrNone", bound=list[Any] | None)

# The largest integer that every database stores.
LARGEST_ID = 2**63 - 1

INVALID_UUID = "Must be a valid UUID."
_TRUE = frozenset(["true", "1", "yes", "on", "t", "y"])
_FALSE = frozenset(["false", "0", "no", "off", "f", "n", ""])


def boolean(request: Request, name: str) -> bool:
    """Read a boolean parameter; False if it is absent."""
    text = request.query_params.get(name, "").lower()
    if text not in _TRUE | _FALSE:
        raise ValidationError({name: ["Must be a valid boolean."]})
    return text in _TRUE


def query_uuid(request: Request, name: str) -> UUID | None:
    """Read a uuid parameter; None if it is absent or empty."""
    text = request.query_params.get(name, "")
    uuid = parse_uuid(text)
    if text and uuid is None:
        raise ValidationError({name: [INVALID_UUID]})
    return uuid


def is_row_id(text: str) -> bool:
    """Whether a row can have this id on every database."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID


def restore_plus_signs(keys: Sequence[str]) -> list[str]:
    """Undo the decoding of a `+` that was not encoded to a space, which no key holds (COM-12)."""
    return [key.replace(" ", "+") for key in keys]


def query_keys(request: Request, name: str) -> list[str] | None:
    """Read a repeatable parameter; None if it is absent. An empty value is a value (ERR-3)."""
    return restore_plus_signs(request.query_params.getlist(name)) if name in request.query_params else None


def has_body(request: Request) -> bool:
    return int(request.META.get("CONTENT_LENGTH") or 0) > 0


def json_body(request: Request) -> Any:
    """Return the parsed body. The length is checked first, since 413 comes before 415 and 400 (AUTH-9)."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLarge
    return request.data


def body_keys(body: Any, name: str) -> list[str] | None:
    """Read a list of keys from a JSON body; None if it is absent."""
    if not isinstance(body, dict):
        raise ValidationError({"non_field_errors": ["Must be a JSON object."]})
    if name not in body:
        return None
    keys = body[name]
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValidationError({name: ["Must be a list of strings."]})
    return restore_plus_signs(keys)


def body_uuids(body: Any, name: str) -> list[UUID]:
    """Read a list of uuids from a JSON body; empty if it is absent or null."""
    if isinstance(body, dict) and body.get(name) is None:
        return []
    uuids = []
    for text in body_keys(body, name) or []:
        uuid = parse_uuid(text)
        if uuid is None:
            raise ValidationError({name: [INVALID_UUID]})
        uuids.append(uuid)
    return uuids


def limited(keys: ListOrNone, *, name: str, limit: int, text: str) -> ListOrNone:
    """Return the keys. Raise 400 with the endpoint's `text` if there are more than `limit` (ERR-4)."""
    if keys is not None and len(keys) > limit:
        raise ValidationError({name: [text]})
    return keys


def limited_identifiers(keys: Sequence[str], *, name: str, limit: int, text: str) -> list[Identifier]:
    """Read identifiers, each once. Raise 400 with the endpoint's `text` for more than `limit` parts (ERR-4)."""
    if number_of_parts(keys) > limit:
        raise ValidationError({name: [text]})
    return read_identifiers(keys)


def path_identifier(segment: str) -> Identifier:
    """Read the identifier in a path. With more parts than a request may name, it is taken as one unknown key."""
    (text,) = restore_plus_signs([segment])
    if number_of_parts([text]) > settings.CONTENT_KEYS_LIMIT_GET:
        return Identifier(text, key_forms(text))
    return read_identifier(text)


def require_one_of(*names: str) -> ValidationError:
    """Return the error for missing parameters: a bare list, since today's clients depend on it (ERR-3)."""
    return ValidationError([f"You must provide at least one of the following query parameters: {', '.join(names)}."])
