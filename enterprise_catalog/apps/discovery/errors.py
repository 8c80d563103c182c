"""
Errors of requests to discovery.

Details name pages and statuses, never secrets.
"""


class DiscoveryError(Exception):
    """A request that discovery did not answer completely. `detail` is a sentence for operators."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class DiscoveryUnavailable(DiscoveryError):
    """No answer, or "not now", also after retries. `retry_after` holds the seconds that discovery named, if any."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class DiscoveryThrottled(DiscoveryUnavailable):
    """Discovery answered that there were too many requests."""


class DiscoveryRejected(DiscoveryError):
    """Discovery refused the request, and a retry would not help."""


class DiscoveryMalformed(DiscoveryError):
    """An answer that does not have the form that discovery promises."""


class DiscoveryIncomplete(DiscoveryError):
    """The pages do not agree with their count, or do not end: incomplete is not empty (DISC-8)."""


class WindowExceeded(DiscoveryError):
    """The result is larger than search v1 can page through (DISC-9), or than a worker may hold (DISC-8)."""
