"""Turn the outcome of a save into an answer: the services' errors into statuses, and the headers of CRUD-10."""

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework.exceptions import APIException, PermissionDenied, ValidationError

from enterprise_catalog.apps.access.permissions import CHANGE
from enterprise_catalog.apps.catalog.content_filters.warnings import warning_header
from enterprise_catalog.apps.core.rest.exceptions import Conflict
from enterprise_catalog.apps.services import errors
from enterprise_catalog.apps.services.catalogs import SavedCatalog


@contextmanager
def service_errors_as_http(*, gone: APIException) -> Iterator[None]:
    """Raise the services' errors as 400, 403 or 409, and `gone` if the row was deleted meanwhile."""
    try:
        yield
    except errors.InvalidValues as error:
        raise ValidationError(error.errors) from error
    except errors.Conflict as error:
        raise Conflict(error.errors) from error
    except errors.NotAllowed as error:
        raise PermissionDenied(CHANGE.refusal) from error
    except errors.Gone as error:
        raise gone from error


def save_headers(saved: SavedCatalog) -> dict[str, str]:
    headers = {}
    if saved.refresh_run is not None:
        headers["X-Refresh-Run"] = str(saved.refresh_run.uuid)
    if warnings := warning_header(saved.filter_warnings):
        headers["X-Catalog-Filter-Warning"] = warnings
    return headers
