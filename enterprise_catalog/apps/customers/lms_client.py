"""What the LMS says of one enterprise customer (DISC-20). HTTP only: no rows are read or written here."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from enterprise_catalog.apps.core.datetimes import parse_datetime
from enterprise_catalog.apps.core.http_client.client import ServiceClient
from enterprise_catalog.apps.core.http_client.errors import ServiceError, ServiceMalformed
from enterprise_catalog.apps.core.uuids import canonical_uuid

_PATH = "/enterprise/api/v1/enterprise-customer/"
_MAX_LENGTH = 255


class TimeLimitReached(ServiceError):
    """The LMS did not answer within the time there was for it."""


@dataclass(frozen=True)
class LmsCustomer:
    """A customer as the LMS lists it."""

    name: str
    slug: str
    enable_learner_portal: bool
    # None where the LMS does not say when.
    modified: datetime | None


class LmsClient:
    """The LMS for a limited time: beyond it no call is begun or tried again, so that no worker is held for longer."""

    def __init__(self, *, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._client = ServiceClient(settings.LMS_ROOT_URL, service="lms", on_wait=self._stop_when_out_of_time)

    @property
    def out_of_time(self) -> bool:
        return time.monotonic() >= self._until

    def customer(self, uuid: UUID) -> LmsCustomer | None:
        """The customer's facts; None when the LMS does not list it as active (CUST-3). Raises ServiceError."""
        answer = self._client.get(_PATH, {"uuid": str(uuid)})
        results = answer.get("results")
        if not isinstance(results, list):
            raise ServiceMalformed(f"GET {_PATH}: no list of results")
        own = next(
            (row for row in results if isinstance(row, dict) and canonical_uuid(row.get("uuid")) == str(uuid)), None
        )
        if own is not None:
            return None if own.get("active") is False else _facts(own)
        # Only a complete and empty list says that there is none; an LMS that ignores the filter lists somebody else.
        if results or answer.get("count") or answer.get("next"):
            raise ServiceMalformed(f"GET {_PATH}: the customer asked for is not in the list")
        return None

    def _stop_when_out_of_time(self) -> None:
        if self.out_of_time:
            raise TimeLimitReached(f"GET {_PATH}: no answer in time")


def _facts(row: dict[str, Any]) -> LmsCustomer:
    slug = _text(row, "slug")
    if len(slug) > _MAX_LENGTH:
        # A name may be cut, but links lead nowhere with half a slug.
        raise ServiceMalformed(f"GET {_PATH}: a slug of {len(slug)} characters")
    return LmsCustomer(
        name=_text(row, "name")[:_MAX_LENGTH],
        slug=slug,
        enable_learner_portal=row.get("enable_learner_portal") is True,
        modified=parse_datetime(row.get("modified")),
    )


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ServiceMalformed(f"GET {_PATH}: {name} is not text")
    return value
