"""
Answer the calls of a catalog service as discovery and the LMS do, without HTTP.

Each method takes a request with a known caller and returns an answer. Faults are applied elsewhere.
"""

import base64
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

import jwt

from enterprise_catalog.sandbox.config import SERVICE_USERNAME, SandboxConfig, ServiceUser
from enterprise_catalog.sandbox.dataset import Dataset
from enterprise_catalog.sandbox.keys import SigningKey, user_claims
from enterprise_catalog.sandbox.matching import BadSearch
from enterprise_catalog.sandbox.messages import Answer, Request, bad_request, not_found
from enterprise_catalog.sandbox.search import SearchIndex
from enterprise_catalog.sandbox.sign_in import OPAQUE_TOKEN, SignIn, is_client

THROTTLE_PERIOD = 3600
REVIEWS_PER_PAGE = 100
DEFAULT_LIMIT, MAX_LIMIT = 20, 200
METHODS = {
    "authorize": ("GET", "POST"),
    "token": ("POST",),
    "jwks": ("GET",),
    "logout": ("GET",),
    "search_v1": ("POST",),
    "search_v2": ("POST",),
    "courses": ("GET",),
    "programs": ("GET",),
    "course_review": ("GET",),
    "customers": ("GET",),
}
PATHS = {
    "/oauth2/authorize": "authorize",
    "/oauth2/authorize/": "authorize",
    "/logout": "logout",
    "/oauth2/access_token": "token",
    "/oauth2/access_token/": "token",
    "/oauth2/jwks.json": "jwks",
    "/api/v1/search/all/": "search_v1",
    "/api/v2/search/all/": "search_v2",
    "/api/v1/courses/": "courses",
    "/api/v1/programs/": "programs",
    "/api/v1/course_review/": "course_review",
    "/enterprise/api/v1/enterprise-customer/": "customers",
}
OPEN_ENDPOINTS = frozenset({"authorize", "token", "jwks", "logout"})
# Signs in as anybody.
LOCAL_ENDPOINTS = frozenset({"authorize"})
# Only discovery throttles; the LMS does not.
THROTTLED_ENDPOINTS = frozenset({"search_v1", "search_v2", "courses", "programs", "course_review"})


class Throttle:
    """So many calls in any period (DISC-16)."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: dict[str, deque[float]] = {}

    def seconds_to_wait(self, username: str, limit: int | None) -> int:
        """Nothing if this call may go on, and then it counts."""
        if limit is None:
            return 0
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault(username, deque())
            while calls and calls[0] <= now - THROTTLE_PERIOD:
                calls.popleft()
            if len(calls) >= limit:
                return max(1, math.ceil(calls[0] + THROTTLE_PERIOD - now)) if calls else THROTTLE_PERIOD
            calls.append(now)
            return 0

    def reset(self) -> None:
        with self._lock:
            self._calls.clear()


class Endpoints:
    def __init__(self, *, config: SandboxConfig, dataset: Dataset, key: SigningKey) -> None:
        self.config = config
        self.requests_per_hour = config.requests_per_hour
        self.search_v2_enabled = config.search_v2
        self.customers: dict[str, dict[str, Any]] = {}
        self.throttle = Throttle()
        self._dataset = dataset
        self._key = key
        own = ServiceUser(client_id=config.client_id, client_secret=config.client_secret, username=SERVICE_USERNAME)
        self._users = (own, *config.service_users)
        self.search = SearchIndex(dataset=dataset, config=config)
        self.sign_in = SignIn(config=config, key=key)

    def answer(self, endpoint: str, request: Request) -> Answer:
        if endpoint == "search_v2" and not self.search_v2_enabled:
            return not_found()
        username = ""
        if endpoint not in OPEN_ENDPOINTS:
            claims = self._authenticate(request)
            if isinstance(claims, Answer):
                return claims
            username = claims["preferred_username"]
        if request.method not in METHODS[endpoint]:
            return Answer(status=405, payload={"detail": f'Method "{request.method}" not allowed.'})
        if endpoint in THROTTLED_ENDPOINTS:
            wait = self.throttle.seconds_to_wait(username, self.requests_per_hour)
            if wait:
                detail = f"Request was throttled. Expected available in {wait} seconds."
                return Answer(status=429, payload={"detail": detail}, headers={"Retry-After": str(wait)})
        handlers: Mapping[str, Callable[[Request], Answer]] = {
            "authorize": self.sign_in.page,
            "token": self._token,
            "jwks": lambda request: Answer(payload=self._key.jwks()),
            "logout": self.sign_in.signed_out,
            "search_v1": lambda request: self._searched(self.search.page_v1, request),
            "search_v2": lambda request: self._searched(self.search.page_v2, request),
            "courses": self._courses,
            "programs": self._programs,
            "course_review": self._course_reviews,
            "customers": self._customers,
        }
        return handlers[endpoint](request)

    def _authenticate(self, request: Request) -> dict[str, Any] | Answer:
        headers = {"WWW-Authenticate": 'JWT realm="api"'}
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "JWT" or not token:
            detail = "Authentication credentials were not provided."
            return Answer(status=401, payload={"detail": detail}, headers=headers)
        try:
            return self._key.verify(token.strip(), issuer=self.config.issuer, audience=self.config.audience)
        except jwt.InvalidTokenError as error:
            return Answer(status=401, payload={"detail": f"Error decoding token: {error}"}, headers=headers)

    def _token(self, request: Request) -> Answer:
        form = request.body if isinstance(request.body, dict) else {}
        client = _client_credentials(form, request.headers)
        if form.get("grant_type") == "authorization_code":
            return self.sign_in.token(form, client)
        user = next((user for user in self._users if is_client(client, user.client_id, user.client_secret)), None)
        if user is None:
            return Answer(status=401, payload={"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials":
            return Answer(status=400, payload={"error": "unsupported_grant_type"})
        if str(form.get("token_type", "")).lower() != "jwt":
            # Without it the LMS hands out an opaque token, which discovery does not take as a JWT.
            return Answer(payload=OPAQUE_TOKEN)
        token = self._key.sign(
            user_claims(
                username=user.username,
                roles=user.roles,
                issuer=self.config.issuer,
                audience=self.config.audience,
                lifetime=self.config.token_seconds,
            )
        )
        return Answer(
            payload={
                "access_token": token,
                "token_type": "JWT",
                "expires_in": self.config.token_seconds,
                "scope": "read write profile email",
            }
        )

    @staticmethod
    def _searched(page: Callable[[Request], Answer], request: Request) -> Answer:
        if not isinstance(request.body, dict):
            return bad_request("JSON parse error - an object was expected.")
        try:
            return page(request)
        except BadSearch as error:
            return bad_request(str(error))

    def _courses(self, request: Request) -> Answer:
        restrictions = _listed(request.param("include_restricted"))
        known = self._dataset.course_keys()
        asked = _listed(request.param("keys"))
        keys = sorted(set(known).intersection(asked)) if asked else known
        return _limited(keys, request, lambda key: self._dataset.course_record(key, restrictions=restrictions))

    def _programs(self, request: Request) -> Answer:
        known = self._dataset.program_uuids()
        asked = [uuid.lower() for uuid in _listed(request.param("uuids"))]
        uuids = sorted(set(known).intersection(asked)) if asked else known
        return _limited(uuids, request, self._dataset.program_record)

    def _course_reviews(self, request: Request) -> Answer:
        page_text = request.param("page") or "1"
        reviews = self._dataset.reviews()
        number = int(page_text) if page_text.isascii() and page_text.isdigit() else 0
        first, beyond = (number - 1) * REVIEWS_PER_PAGE, number * REVIEWS_PER_PAGE
        if number < 1 or (number > 1 and first >= len(reviews)):
            return not_found("Invalid page.")
        return Answer(
            page=number,
            payload={
                "count": len(reviews),
                "next": request.url_with(page=number + 1) if len(reviews) > beyond else None,
                "previous": request.url_with(page=number - 1) if number > 1 else None,
                "results": reviews[first:beyond],
            },
        )

    def _customers(self, request: Request) -> Answer:
        """The LMS lists active customers only (CUST-3)."""
        wanted = (request.param("uuid") or "").lower()
        results = [
            customer
            for customer in list(self.customers.values())
            if customer.get("active", True) and wanted in ("", customer["uuid"])
        ]
        return Answer(page=1, payload={"count": len(results), "next": None, "previous": None, "results": results})


def _client_credentials(form: Mapping[str, Any], headers: Mapping[str, str]) -> tuple[str, str]:
    """From the form, else from HTTP basic authentication, which some OAuth clients prefer."""
    if "client_id" in form:
        return str(form["client_id"]), str(form.get("client_secret", ""))
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode() if scheme == "Basic" else ""
    except ValueError:
        decoded = ""
    given_id, _, given_secret = decoded.partition(":")
    return given_id, given_secret


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _limited(keys: Sequence[str], request: Request, record: Callable[[str], dict[str, Any] | None]) -> Answer:
    """A page by limit and offset, as courses/ and programs/ have them."""
    limit_text, offset_text = request.param("limit") or "", request.param("offset") or "0"
    limit = min(int(limit_text), MAX_LIMIT) if limit_text.isdigit() and int(limit_text) else DEFAULT_LIMIT
    offset = int(offset_text) if offset_text.isdigit() else 0
    records = (record(key) for key in keys[offset : offset + limit])
    return Answer(
        page=offset // limit + 1,
        payload={
            "count": len(keys),
            "next": request.url_with(limit=limit, offset=offset + limit) if offset + limit < len(keys) else None,
            "previous": request.url_with(limit=limit, offset=max(offset - limit, 0)) if offset else None,
            "results": [one for one in records if one is not None],
        },
    )
