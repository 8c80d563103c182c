"""
So many requests per minute and user, if the operators want a limit (ERR-6). Counted in the cache, for all web processes
together where they share one; a cache that is away lets everybody pass (P6).
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
        """Nothing: whose limit it is, only the request tells."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not settings.API_THROTTLE:
            return True
        self.num_requests = requests_per_minute(cast(Caller, request.user))
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
    """Services ask for many people under one name, and so have a limit of their own (LEG-21)."""
    if user.username in settings.API_SERVICE_USERNAMES:
        return settings.API_SERVICE_REQUESTS_PER_MINUTE
    return settings.API_REQUESTS_PER_MINUTE
