"""How asking discovery can fail. Details name pages and statuses, never secrets."""


class DiscoveryError(Exception):
    """A request that discovery did not answer completely. `detail` is a sentence for operators."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class DiscoveryUnavailable(DiscoveryError):
    """No answer, or one that says it cannot answer, also after retries. `retry_after` in seconds, where it said."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class DiscoveryThrottled(DiscoveryUnavailable):
    """Too many requests."""


class DiscoveryRejected(DiscoveryError):
    """Discovery understood and refused: asking again would not help."""


class DiscoveryMalformed(DiscoveryError):
    """An answer that is not what discovery promises."""


class DiscoveryIncomplete(DiscoveryError):
    """A walk that ended, or counted, otherwise than it said: incomplete is not empty (DISC-8)."""


class WindowExceeded(DiscoveryError):
    """More than can be read: than the old search pages through (DISC-9), or than a worker holds (DISC-8)."""
