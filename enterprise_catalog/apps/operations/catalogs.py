"""
Create, change and delete catalogs: the one place where the rules about them live.

    1. lock the catalog, check a move
    2. resolve the query fields to a query (`catalog.resolution`)
    3. write the catalog and, when it is attached elsewhere, what joined and left it
    4. write the intent to refresh

One transaction, retried as a whole when others got in its way. No other service is asked (P6): the customer's facts and the content arrive in
the background. Whether the caller may manage this customer's catalogs at all is the door's business (PERM-2, PERM-3, PERM-4).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from uuid import UUID

from enterprise_catalog.apps.access.roles import Grants
from enterprise_catalog.apps.catalog.filters import FilterWarning
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun


class Absent(Enum):
    """A field the caller did not send, which is not the same as null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, kw_only=True)
class CatalogValues:
    """
    What a caller wants a catalog to be, already of the right types (CRUD-2).

    Creating needs all but the uuid and the last two; changing keeps whatever is absent.
    """

    uuid: UUID | Absent = ABSENT
    title: str | Absent = ABSENT
    enterprise_uuid: UUID | Absent = ABSENT
    enterprise_name: str | Absent = ABSENT
    enabled_course_modes: list[str] | Absent = ABSENT
    publish_audit_enrollment_urls: bool | Absent = ABSENT
    content_filter: dict[str, Any] | Absent = ABSENT
    query_uuid: UUID | None | Absent = ABSENT
    query_title: str | None | Absent = ABSENT


@dataclass(frozen=True)
class SavedCatalog:
    """A catalog as stored, with its query, and what saving it set in motion (CRUD-10)."""

    catalog: EnterpriseCatalog
    created: bool
    refresh_run: RefreshRun | None
    filter_warnings: list[FilterWarning]


def save_catalog(*, catalog: EnterpriseCatalog | None, values: CatalogValues, grants: Grants) -> SavedCatalog:
    """
    Create a catalog (None), or change this one.

    Raises InvalidValues (QRY-6), Conflict (CRUD-5), NotAllowed (PERM-20), Gone.
    """
    raise NotImplementedError


def delete_catalog(*, catalog: EnterpriseCatalog) -> None:
    """Delete a catalog; its query stays (CRUD-9). Raises Gone when somebody else deleted it first."""
    raise NotImplementedError
