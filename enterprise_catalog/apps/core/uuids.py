"""
Reading uuids as callers write them: any case, hyphens or not (COM-3, ROLE-5).

Braces, `urn:` and numbers are no uuids here.
"""

import re
from typing import Any
from uuid import UUID

_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def parse_uuid(value: Any) -> UUID | None:
    """None for everything that is not the text of a uuid."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    return None
