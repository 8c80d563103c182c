"""List what joined and left a catalog (CHG-1 to CHG-4)."""

import re
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_catalog_or_404
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.pagination import page_size, urls_with
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.parameters import page_size_parameter
from enterprise_catalog.apps.api.openapi.schema import ErrorResponse
from enterprise_catalog.apps.api.serializers.catalogs import ChangeSerializer, ChangesSerializer
from enterprise_catalog.apps.catalog.change_feed.feed import FeedPosition, list_changes_after
from enterprise_catalog.apps.catalog.exceptions import ChangesExpired
from enterprise_catalog.apps.core.datetimes import EPOCH, api_iso, parse_datetime
from enterprise_catalog.apps.core.rest.exceptions import ResourceExpired

_INVALID_SINCE = "Must be an ISO 8601 datetime or a cursor."
# Ids of so many digits fit every database, and so many microseconds fit a datetime.
_POSITION = re.compile(rb"([0-9]{1,18}):([0-9]{1,16})")


class ChangesView(ApiView):
    may_read_replica = True

    @extend_schema(
        operation_id="list_catalog_changes",
        summary="What joined and left a catalog",
        description=(
            "One entry for each content key that joined or left, the oldest first (CHG-2). Keep the `cursor` and pass "
            "it as `since` later: nothing is missed or doubled (CHG-3)."
        ),
        parameters=[
            OpenApiParameter(
                "since",
                {"type": "string", "maxLength": settings.SINCE_MAX_CHARACTERS},
                description="A cursor, or an ISO 8601 datetime, exclusive; 90 days ago unless given, and at most.",
            ),
            page_size_parameter(default=settings.CHANGES_PAGE_SIZE_DEFAULT, most=settings.CHANGES_PAGE_SIZE_MAX),
        ],
        responses={200: ChangesSerializer, 410: ErrorResponse("Older than what is kept (CHG-4).")},
    )
    def get(self, request: Request, uuid: str) -> Response:
        catalog = get_catalog_or_404(request, uuid, access=LEARNER)
        size = page_size(request, default=settings.CHANGES_PAGE_SIZE_DEFAULT, most=settings.CHANGES_PAGE_SIZE_MAX)
        try:
            page = list_changes_after(catalog_uuid=catalog.uuid, since=since_of(request), limit=size)
        except ChangesExpired as error:
            kept_since = api_iso(error.kept_since)
            raise ResourceExpired(f"Changes before {kept_since} are no longer kept; read the whole catalog.") from error
        cursor = cursor_of(page.position)
        return Response(
            {
                "next": urls_with(request, "since")(cursor) if page.has_more else None,
                "cursor": cursor,
                "results": ChangeSerializer(page.changes, many=True).data,
            }
        )


def since_of(request: Request) -> FeedPosition | datetime | None:
    """Read `since`; None if it is absent (CHG-3). Raise 400 if it is neither a cursor nor a datetime (CHG-4)."""
    text = request.query_params.get("since")
    if text is None:
        return None
    if len(text) > settings.SINCE_MAX_CHARACTERS:
        raise ValidationError({"since": [_INVALID_SINCE]})
    # A `+` before an offset that was not encoded arrives as a space.
    since = position_of(text) or parse_datetime(text) or parse_datetime(text.replace(" ", "+"))
    if since is None:
        raise ValidationError({"since": [_INVALID_SINCE]})
    return since


def cursor_of(position: FeedPosition) -> str:
    """Encode a position as opaque text, which callers pass as `since` later."""
    microseconds = (position.read_until - EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(f"{position.change_id}:{microseconds}".encode()).rstrip(b"=").decode()


def position_of(cursor: str) -> FeedPosition | None:
    """Decode a cursor; None if it is not one. No ISO datetime can be mistaken for a cursor."""
    try:
        text = b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    match = _POSITION.fullmatch(text)
    if match is None:
        return None
    change_id, microseconds = map(int, match.groups())
    return FeedPosition(change_id, EPOCH + timedelta(microseconds=microseconds))
