"""
Limit requests per minute and user, if API_THROTTLE is on (ERR-6).

They are counted in the cache, for all web processes together if they share one. Without a cache, nobody is refused
(P6).

Large pages after the first are counted apart, with a limit that suffices for every page of the largest catalog. A
client that reads a catalog page by page makes hundreds of requests, and is not refused in the middle.
"""

from typing import cast

import structlog
from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from enterprise_catalog.apps.core.callers import Caller, TokenCaller

log = structlog.get_logger(__name__)


class UserThrottle(UserRateThrottle):
    duration = 60

    def __init__(self) -> None:
        """Set no rate: it depends on the request's user."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not settings.API_THROTTLE:
            return True
        self.num_requests = requests_per_minute(cast(Caller, request.user))
        if continues_a_walk(request):
            self.scope = "walk"
            self.num_requests = max(self.num_requests, settings.API_WALK_PAGES_PER_MINUTE)
        self.rate = f"{self.num_requests}/minute"
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError) as error:
            log.warning("throttle_unavailable", error=type(error).__name__)
            return True

    def get_cache_key(self, request: Request, view: APIView) -> str:
        caller = cast(Caller, request.user)
        ident = f"token-{caller.namesake_id}" if isinstance(caller, TokenCaller) else caller.pk
        return self.cache_format % {"scope": self.scope, "ident": ident}


def requests_per_minute(user: Caller) -> int:
    """Return the user's limit. Services have their own, since they call for many people under one name (LEG-21)."""
    if user.username in settings.API_SERVICE_USERNAMES:
        return settings.API_SERVICE_REQUESTS_PER_MINUTE
    return settings.API_REQUESTS_PER_MINUTE


def continues_a_walk(request: Request) -> bool:
    """Return whether a request reads a page after the first of a list, of API_WALK_PAGE_SIZE items or more."""
    page, size = (_whole_number(request.query_params.get(name, "")) for name in ("page", "page_size"))
    return request.method in ("GET", "HEAD") and page > 1 and size >= settings.API_WALK_PAGE_SIZE


def _whole_number(text: str) -> int:
    """Return the number, or 0 for other text. The view refuses it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= settings.PAGE_MAX_CHARACTERS else 0
