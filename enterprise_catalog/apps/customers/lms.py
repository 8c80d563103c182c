"""What the LMS says of one enterprise customer (DISC-20). HTTP only: no rows are read or written here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from enterprise_catalog.apps.core.http import ServiceClient, ServiceMalformed
from enterprise_catalog.apps.core.moments import parse_moment

_PATH = "/enterprise/api/v1/enterprise-customer/"
_MAX_LENGTH = 255


@dataclass(frozen=True)
class CustomerFacts:
    """A customer as the LMS lists it."""

    name: str
    slug: str
    enable_learner_portal: bool
    modified: datetime | None


def fetch_customer(uuid: UUID) -> CustomerFacts | None:
    """
    The customer's facts; None when the LMS does not list it, as it does with inactive ones (CUST-3). Raises
    ServiceError.
    """
    answer = ServiceClient(settings.LMS_ROOT_URL).get(_PATH, {"uuid": str(uuid)})
    results = answer.get("results")
    if not isinstance(results, list):
        raise ServiceMalformed(f"GET {_PATH}: no list of results")
    if not results:
        return None
    own = next((row for row in results if isinstance(row, dict) and _is(row.get("uuid"), uuid)), None)
    if own is None:
        # An LMS that ignores the filter would list somebody else.
        raise ServiceMalformed(f"GET {_PATH}: lists other customers than the one asked for")
    return CustomerFacts(
        name=_text(own.get("name")),
        slug=_text(own.get("slug")),
        enable_learner_portal=own.get("enable_learner_portal") is True,
        modified=parse_moment(own.get("modified")),
    )


def _is(value: Any, uuid: UUID) -> bool:
    try:
        return UUID(str(value)) == uuid
    except ValueError:
        return False


def _text(value: Any) -> str:
    return value[:_MAX_LENGTH] if isinstance(value, str) else ""
