"""The feed of what joined and left a catalog (CHG-1 to CHG-4)."""

import re
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_catalog.apps.access.object_access import get_catalog_or_404
from enterprise_catalog.apps.access.permissions import LEARNER
from enterprise_catalog.apps.api.common.pagination import page_size, urls_with
from enterprise_catalog.apps.api.common.views import ApiView
from enterprise_catalog.apps.api.openapi.schema import ErrorResponse
from enterprise_catalog.apps.api.serializers.shapes import ChangesShape, page_size_parameter
from enterprise_catalog.apps.catalog.change_feed.feed import FeedPosition, list_changes_after
from enterprise_catalog.apps.catalog.exceptions import ChangesExpired
from enterprise_catalog.apps.catalog.models import CatalogContentChange
from enterprise_catalog.apps.core.datetimes import EPOCH, api_iso, parse_datetime
from enterprise_catalog.apps.core.rest.exceptions import ResourceExpired

_NO_POSITION = "Must be an ISO 8601 datetime or a cursor."
# So many digits that ids fit every database, and moments a datetime.
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
        responses={200: ChangesShape, 410: ErrorResponse("Older than what is kept (CHG-4).")},
    )
    def get(self, request: Request, uuid: str) -> Response:
        catalog = get_catalog_or_404(request, uuid, access=LEARNER)
        size = page_size(request, default=settings.CHANGES_PAGE_SIZE_DEFAULT, most=settings.CHANGES_PAGE_SIZE_MAX)
        try:
            page = list_changes_after(catalog_uuid=catalog.uuid, since=since_of(request), limit=size)
        except ChangesExpired as error:
            moment = api_iso(error.kept_since)
            raise ResourceExpired(f"Changes before {moment} are no longer kept; read the whole catalog.") from error
        cursor = cursor_of(page.position)
        return Response(
            {
                "next": urls_with(request, "since")(cursor) if page.has_more else None,
                "cursor": cursor,
                "results": [change_representation(change) for change in page.changes],
            }
        )


def since_of(request: Request) -> FeedPosition | datetime | None:
    """None when absent (CHG-3); CHG-4 when it is neither a cursor nor a datetime."""
    text = request.query_params.get("since")
    if text is None:
        return None
    if len(text) > settings.SINCE_MAX_CHARACTERS:
        raise ValidationError({"since": [_NO_POSITION]})
    # A `+` before an offset that was not encoded arrives as a space.
    since = position_of(text) or parse_datetime(text) or parse_datetime(text.replace(" ", "+"))
    if since is None:
        raise ValidationError({"since": [_NO_POSITION]})
    return since


def cursor_of(position: FeedPosition) -> str:
    """Opaque to callers, who bring it back."""
    microseconds = (position.read_until - EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(f"{position.change_id}:{microseconds}".encode()).rstrip(b"=").decode()


def position_of(cursor: str) -> FeedPosition | None:
    """None for what is no cursor. No ISO datetime reads as one."""
    try:
        text = b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    match = _POSITION.fullmatch(text)
    if match is None:
        return None
    change_id, microseconds = map(int, match.groups())
    return FeedPosition(change_id, EPOCH + timedelta(microseconds=microseconds))


def change_representation(change: CatalogContentChange) -> dict[str, Any]:
    """CHG-1."""
    return {
        "content_key": change.content_key,
        "content_type": change.content_type,
        "change": change.change,
        "changed_at": change.changed_at,
        "refresh_run": change.refresh_run_uuid,
    }
