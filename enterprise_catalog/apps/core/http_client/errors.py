"""Name how a call to another service fails."""


class ServiceError(Exception):
    """A call that brought no answer to use; the message names method, path and what came instead, never a secret."""


class ServiceFailed(ServiceError):
    """Could not be asked, or broke in a way that asking again at once does not cure."""


class ServiceUnavailable(ServiceError):
    """No answer, or one that says "not now", also after retries. `retry_after` in seconds where the service said."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceThrottled(ServiceUnavailable):
    """Too many requests (429)."""


class ServiceRejected(ServiceError):
    """Refused for good: a redirect, or 4xx. `status` is the HTTP status, 401 also where no token was to be had."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServiceMalformed(ServiceError):
    """A 2xx answer that is no JSON object, or too large to be read."""
