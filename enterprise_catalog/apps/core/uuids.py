"""Read uuids as callers and as other services write them."""

import re
from typing import Any
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def parse_uuid(value: Any) -> UUID | None:
    """
    Read a uuid of a caller, in any case, with hyphens or without (COM-3, ROLE-5).

    Return None for anything else, including braces, `urn:` and numbers.
    """
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    return None


def canonical_uuid(value: Any) -> str | None:
    """
    Return a uuid of another service in its usual form with hyphens, however it was written.

    Return None for anything that Python cannot read as a uuid.
    """
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
