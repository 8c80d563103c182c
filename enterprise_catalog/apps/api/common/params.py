"""
Reading what callers send beside the path: booleans, content keys, lists and their limits (COM-11, COM-12, COM-16).

Every function returns a clean value or raises the 400 that the contract words. Nothing here touches the database.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from enterprise_catalog.apps.core.rest.exceptions import BodyTooLarge, LengthRequired
from enterprise_catalog.apps.core.uuids import parse_uuid

ListOrNone = TypeVar("ListOrNone", bound=list[Any] | None)

# The largest integer that every database stores.
LARGEST_ID = 2**63 - 1

_TRUE = frozenset(["true", "1", "yes", "on", "t", "y"])
_FALSE = frozenset(["false", "0", "no", "off", "f", "n", ""])


def boolean(request: Request, name: str) -> bool:
    """False when absent."""
    text = request.query_params.get(name, "").lower()
    if text not in _TRUE | _FALSE:
        raise ValidationError({name: ["Must be a valid boolean."]})
    return text in _TRUE


def uuid_filter(request: Request, name: str) -> UUID | None:
    """None when absent or empty."""
    text = request.query_params.get(name, "")
    uuid = parse_uuid(text)
    if text and uuid is None:
        raise ValidationError({name: ["Must be a valid UUID."]})
    return uuid


def integer_filter(request: Request, name: str) -> int | None:
    """None when absent or empty."""
    text = request.query_params.get(name, "")
    if text and not is_row_id(text):
        raise ValidationError({name: ["A valid integer is required."]})
    return int(text) if text else None


def is_row_id(text: str) -> bool:
    """Whether a row could have this id, and every database can be asked for it."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) and int(text) <= LARGEST_ID


def restore_plus_signs(keys: Sequence[str]) -> list[str]:
    """A `+` that was not encoded arrives as a space; keys hold no spaces (COM-12)."""
    return [key.replace(" ", "+") for key in keys]


def query_keys(request: Request, name: str) -> list[str] | None:
    """The values of a repeatable parameter, None when it is absent. Present but empty counts as given (ERR-3)."""
    return restore_plus_signs(request.query_params.getlist(name)) if name in request.query_params else None


def has_body(request: Request) -> bool:
    return int(request.META.get("CONTENT_LENGTH") or 0) > 0


def json_body(request: Request) -> Any:
    """The parsed body. 413 comes before 415 and 400 (AUTH-9), so the length is looked at first."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise BodyTooLarge
    return request.data


def body_keys(body: Any, name: str) -> list[str] | None:
    """A list of keys in a JSON body, None when it is absent."""
    if not isinstance(body, dict):
        raise ValidationError({"non_field_errors": ["Must be a JSON object."]})
    if name not in body:
        return None
    keys = body[name]
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValidationError({name: ["Must be a list of strings."]})
    return restore_plus_signs(keys)


def body_uuids(body: Any, name: str) -> list[UUID]:
    """A list of uuids in a JSON body; empty when it is absent, or null."""
    if isinstance(body, dict) and body.get(name) is None:
        return []
    uuids = []
    for text in body_keys(body, name) or []:
        uuid = parse_uuid(text)
        if uuid is None:
            raise ValidationError({name: ["Must be a valid UUID."]})
        uuids.append(uuid)
    return uuids


def limited(keys: ListOrNone, *, name: str, limit: int, text: str) -> ListOrNone:
    """Refuse more keys than an endpoint promises to answer, in its words (ERR-4)."""
    if keys is not None and len(keys) > limit:
        raise ValidationError({name: [text]})
    return keys


def require_one_of(*names: str) -> ValidationError:
    """A bare list, since today's clients depend on it (ERR-3)."""
    return ValidationError([f"You must provide at least one of the following query parameters: {', '.join(names)}."])
