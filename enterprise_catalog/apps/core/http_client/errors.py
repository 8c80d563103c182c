"""Errors of calls to other services."""


class ServiceError(Exception):
    """A call without a usable answer. The message names method, path and what came instead, never a secret."""


class ServiceFailed(ServiceError):
    """The call could not be made, or failed in a way that a retry does not cure."""


class ServiceUnavailable(ServiceError):
    """No answer, or "not now", also after retries. `retry_after` holds the seconds that the service named, if any."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceThrottled(ServiceUnavailable):
    """The service answered 429, too many requests."""


class ServiceRejected(ServiceError):
    """The call was refused for good: a redirect or 4xx. `status` is 401 also if no token could be had."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServiceMalformed(ServiceError):
    """A 2xx answer that is not a JSON object, or that is too large to read."""
