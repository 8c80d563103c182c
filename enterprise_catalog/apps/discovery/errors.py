"""
How asking discovery can fail, in the words a refresh run reports (RUN-4). Details name pages and statuses, never
secrets.
"""


class DiscoveryError(Exception):
    """A question discovery did not answer completely. `code` is one of RUN-4's, `detail` a sentence for operators."""

    code: str

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class DiscoveryUnavailable(DiscoveryError):
    """No answer, or one that says it cannot answer, also after retries. `retry_after` in seconds, where it said."""

    code = "discovery_unavailable"

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class DiscoveryThrottled(DiscoveryUnavailable):
    """Too many requests."""

    code = "discovery_throttled"


class DiscoveryRejected(DiscoveryError):
    """Discovery understood and refused: asking again would not help."""

    code = "discovery_rejected"


class DiscoveryMalformed(DiscoveryError):
    """An answer that is not what discovery promises."""

    code = "discovery_malformed"


class DiscoveryIncomplete(DiscoveryError):
    """A walk that ended, or counted, otherwise than it said: incomplete is not empty (DISC-8)."""

    code = "discovery_incomplete"


class WindowExceeded(DiscoveryError):
    """More than can be read: than the old search pages through (DISC-9), or than a worker holds (DISC-8)."""

    code = "window_exceeded"
