"""
Call other Open edX services: get an OAuth token, send JSON, return a JSON object or raise a typed error.

Every call ends. Connect and read timeouts bound a silent service, a deadline per attempt bounds a slow one, and a
deadline over all attempts bounds the retries. Every answer fits into memory: bytes are counted as they arrive, values
before they are parsed (DISC-17). Only errors that may pass are retried, with full jitter, and Retry-After is respected
(DISC-7). Only workers make calls, because no web request may wait for another service (P6).
"""

import functools
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import Any

import orjson
import requests
import structlog
import tenacity
from django.conf import settings

from enterprise_catalog.apps.core.http_client.deadlines import Deadline
from enterprise_catalog.apps.core.http_client.errors import (
    ServiceError,
    ServiceFailed,
    ServiceMalformed,
    ServiceRejected,
    ServiceThrottled,
    ServiceUnavailable,
)
from enterprise_catalog.apps.core.http_client.session import ServiceSession
from enterprise_catalog.apps.core.observability.metrics import count_call

log = structlog.get_logger(__name__)

_CHUNK_BYTES = 64 * 1024
_RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
# Errors of one connection, which the next one may not have.
_RETRIED_ERRORS = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
# The encodings that requests asks for by itself, one at a time: it decodes them piece by piece.
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
_TOKEN = re.compile(r"[!-~]+")
# Seconds. Datetimes are computed from it, and they have a maximum.
_LONGEST_RETRY_AFTER = 24 * 3600.0
_random = SystemRandom()

# The outcome in the metrics; any other error is "failed".
_OUTCOMES = {
    ServiceThrottled: "throttled",
    ServiceUnavailable: "unavailable",
    ServiceRejected: "rejected",
    ServiceMalformed: "malformed",
}


class ServiceClient:
    """
    Call one service under the URL `root` as this service's own user. One client serves one thread.

    `service` is its name in the metrics. `on_wait` is called before each attempt and at least every
    SERVICE_WAIT_SLICE_SECONDS of a pause. `before_request` is called before each request to the service itself,
    retries included. What they raise ends the call.

    Services make links of the address at which they are called. Answers have those of `public_root` instead (LMS-1).
    """

    def __init__(
        self,
        root: str,
        *,
        service: str,
        public_root: str | None = None,
        on_wait: Callable[[], None] | None = None,
        before_request: Callable[[], None] | None = None,
    ) -> None:
        self._root = root.rstrip("/")
        self._public_root = self._root if public_root is None else public_root.rstrip("/")
        self._service = service
        self._on_wait = on_wait or (lambda: None)
        self._before_request = before_request or (lambda: None)
        self._deadline = Deadline()
        self._session = ServiceSession(self._deadline, self._fetch_token)

    def get(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON object at this path. Raises ServiceError."""
        return self._call("GET", path, params=params)

    def post(self, path: str, params: Mapping[str, Any], body: Any) -> dict[str, Any]:
        """Send a JSON body and return the JSON object that answers it. Raises ServiceError."""
        return self._call("POST", path, params=params, json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        what = f"{method} {path}"
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_be_retried),
            stop=tenacity.stop_after_attempt(settings.SERVICE_ATTEMPTS)
            | tenacity.stop_before_delay(settings.SERVICE_CALL_SECONDS),
            wait=_pause_before_next,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            body = retrying(self._attempt_with_token, what, method=method, url=f"{self._root}{path}", **arguments)
        except ServiceUnavailable as error:
            log.warning("service_call_failed", call=what, error=str(error))
            raise
        return _parsed(what, with_public_links(body, root=self._root, public_root=self._public_root))

    def _attempt_with_token(self, what: str, **arguments: Any) -> bytearray:
        # Before the request, so that the token's time and errors do not count as those of the service.
        self._session.get_jwt_access_token()
        try:
            return self._attempt_once(what, **arguments)
        except ServiceRejected as error:
            if error.status != requests.codes.unauthorized:
                raise
        # The token may have been revoked, or its key replaced: try once more with a new one.
        self._session.renew_token()
        return self._attempt_once(what, **arguments)

    def _attempt_once(self, what: str, **arguments: Any) -> bytearray:
        self._before_request()
        send = functools.partial(self._session.request, **arguments)
        return self._attempt(self._service, what, send, settings.SERVICE_MAX_BODY_BYTES)

    def _attempt(self, service: str, what: str, send: Callable[..., requests.Response], max_bytes: int) -> bytearray:
        with _counted(service):
            self._on_wait()
            self._deadline.until = time.monotonic() + settings.SERVICE_ATTEMPT_SECONDS
            timeouts = (settings.SERVICE_CONNECT_TIMEOUT_SECONDS, settings.SERVICE_READ_TIMEOUT_SECONDS)
            try:
                with send(headers=_headers(), timeout=timeouts, stream=True) as response:
                    _check_status(what, response)
                    return _read(what, response, max_bytes)
            except _RETRIED_ERRORS as error:
                raise ServiceUnavailable(f"{what}: {type(error).__name__}") from error
            except requests.RequestException as error:
                raise ServiceFailed(f"{what}: {type(error).__name__}") from error

    def _fetch_token(self) -> tuple[str, float]:
        """Return a new token, and when to renew it by the monotonic clock. Raises ServiceError."""
        what = "POST /access_token"
        asked_at = time.monotonic()
        try:
            body = self._attempt("oauth", what, self._session.request_token, settings.SERVICE_MAX_TOKEN_BYTES)
            answer = _parsed(what, body)
            token, lifetime = answer["access_token"], float(answer["expires_in"])
            if not _TOKEN.fullmatch(token):
                raise ValueError
        except ServiceRejected as error:
            # A refused token says nothing about the path of the call.
            raise ServiceRejected(str(error), status=requests.codes.unauthorized) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ServiceMalformed(f"{what}: no token in the answer") from error
        return token, asked_at + max(lifetime - settings.SERVICE_TOKEN_MARGIN_SECONDS, lifetime / 2)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (remaining := until - time.monotonic()) > 0:
            time.sleep(min(remaining, settings.SERVICE_WAIT_SLICE_SECONDS))
            self._on_wait()


@contextmanager
def _counted(service: str) -> Iterator[None]:
    """Count an attempt in the metrics: how long it took, and its outcome."""
    started = time.perf_counter()
    outcome = "interrupted"
    try:
        yield
        outcome = "answered"
    except ServiceError as error:
        outcome = _OUTCOMES.get(type(error), "failed")
        raise
    finally:
        count_call(service=service, outcome=outcome, seconds=time.perf_counter() - started)


def _headers() -> dict[str, str]:
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {"Accept": "application/json"} | ({"X-Request-ID": request_id} if request_id else {})


def _read(what: str, response: requests.Response, max_bytes: int) -> bytearray:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise ServiceMalformed(f"{what}: encoded as {encoding[:32]!r}")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise ServiceMalformed(f"{what}: more than {max_bytes} bytes")
    return body


def with_public_links(body: bytearray, *, root: str, public_root: str) -> bytearray:
    """Return a JSON text with links below `public_root` in place of those below `root`."""
    if root == public_root:
        return body
    # Not where a longer name or another port begins like it.
    link = re.escape(root).encode() + rb"(?![\w-]|[.:]\w)"
    return bytearray(re.sub(link, lambda _: public_root.encode(), body))


def _parsed(what: str, body: bytearray) -> dict[str, Any]:
    """Parse a JSON object. Raises ServiceMalformed."""
    most = settings.SERVICE_MAX_BODY_VALUES
    # Each value needs a comma or an opening bracket. Those inside texts count, too.
    if len(body) > most and sum(map(body.count, (b",", b"[", b"{"))) > most:
        raise ServiceMalformed(f"{what}: more than {most} values")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Without a cause, which would keep the body in memory.
        raise ServiceMalformed(f"{what}: not JSON ({error})") from None
    if not isinstance(parsed, dict):
        raise ServiceMalformed(f"{what}: not a JSON object")
    return parsed


def _check_status(what: str, response: requests.Response) -> None:
    status = response.status_code
    if 200 <= status < 300:
        return
    if status in _RETRIED_STATUSES:
        error = ServiceThrottled if status == requests.codes.too_many_requests else ServiceUnavailable
        raise error(f"{what}: status {status}", retry_after=_retry_after(response.headers.get("Retry-After")))
    if status >= 500:
        raise ServiceFailed(f"{what}: status {status}")
    raise ServiceRejected(f"{what}: status {status}", status=status)


def _retry_after(header: str | None) -> float | None:
    """Return the seconds to wait. The header holds seconds or a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return None if math.isnan(seconds) else min(max(0.0, seconds), _LONGEST_RETRY_AFTER)


def _seconds_until(date: str) -> float:
    """Return NaN for text that is not a date. A date without a zone is in UTC, as in HTTP's old formats."""
    try:
        parsed = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return ((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)) - datetime.now(tz=UTC)).total_seconds()


def _may_be_retried(error: BaseException) -> bool:
    if not isinstance(error, ServiceUnavailable):
        return False
    # A longer wait is better spent as a waiting row than by a sleeping worker.
    return (error.retry_after or 0) <= settings.SERVICE_MAX_WAIT_SECONDS


def _pause_before_next(state: tenacity.RetryCallState) -> float:
    """Return the seconds that the service asked for, plus full jitter under an exponential bound."""
    bound = min(
        settings.SERVICE_MAX_PAUSE_SECONDS, settings.SERVICE_FIRST_PAUSE_SECONDS * 2 ** (state.attempt_number - 1)
    )
    error = state.outcome.exception() if state.outcome else None
    return (getattr(error, "retry_after", None) or 0.0) + _random.uniform(0, bound)
