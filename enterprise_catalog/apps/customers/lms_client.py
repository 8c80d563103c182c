"""Fetch one enterprise customer from the LMS (DISC-20)."""

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
    """The LMS did not answer within the client's time."""


@dataclass(frozen=True)
class LmsCustomer:
    """A customer as in the LMS's list."""

    name: str
    slug: str
    enable_learner_portal: bool
    # None if the LMS does not send it.
    modified: datetime | None


class LmsClient:
    """Calls to the LMS for a limited time. After it no call begins or is retried, so that no worker waits."""

    def __init__(self, *, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._client = ServiceClient(settings.LMS_INTERNAL_ROOT_URL, service="lms", on_wait=self._stop_when_out_of_time)

    @property
    def out_of_time(self) -> bool:
        return time.monotonic() >= self._until

    def customer(self, uuid: UUID) -> LmsCustomer | None:
        """Return the customer, or None if the LMS does not list it as active (CUST-3). Raises ServiceError."""
        answer = self._client.get(_PATH, {"uuid": str(uuid)})
        results = answer.get("results")
        if not isinstance(results, list):
            raise ServiceMalformed(f"GET {_PATH}: no list of results")
        found = next(
            (row for row in results if isinstance(row, dict) and canonical_uuid(row.get("uuid")) == str(uuid)), None
        )
        if found is not None:
            return None if found.get("active") is False else _lms_customer(found)
        # Only an empty list says that there is no such customer. An LMS that ignores the filter lists others.
        if results or answer.get("count") or answer.get("next"):
            raise ServiceMalformed(f"GET {_PATH}: the customer asked for is not in the list")
        return None

    def _stop_when_out_of_time(self) -> None:
        if self.out_of_time:
            raise TimeLimitReached(f"GET {_PATH}: no answer in time")


def _lms_customer(row: dict[str, Any]) -> LmsCustomer:
    slug = _text(row, "slug")
    if len(slug) > _MAX_LENGTH:
        # A name may be cut, but half a slug makes broken links.
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
