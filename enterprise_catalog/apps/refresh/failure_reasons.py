"""The reasons that a run or a preview can end with (RUN-4), and the reason of each error of discovery."""

from enum import StrEnum
from typing import Self

from enterprise_catalog.apps.discovery import errors


class Reason(StrEnum):
    """
    Why a run was held or failed. The value is the stored code, which callers read.

    `advice` says what an operator can do; docs/operations.rst has more about each. `judges_query` is False for ends
    that say nothing about whether the query can be refreshed.
    """

    advice: str
    judges_query: bool

    def __new__(cls, code: str, advice: str, judges_query: bool = True) -> Self:
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.advice = advice
        reason.judges_query = judges_query
        return reason

    DISCOVERY_UNAVAILABLE = (
        "discovery_unavailable",
        "Discovery's business: the schedule tries again ten minutes after a failure.",
    )
    DISCOVERY_THROTTLED = (
        "discovery_throttled",
        "Ask for a higher limit for this service's user at discovery, or narrow the filters.",
    )
    DISCOVERY_REJECTED = (
        "discovery_rejected",
        "401 or 403: check this service's client at the LMS and its rights. 400: correct the filter.",
    )
    DISCOVERY_INCOMPLETE = (
        "discovery_incomplete",
        "The pages were not what the count promised, twice. Mostly it passes: refresh again later.",
    )
    DISCOVERY_MALFORMED = (
        "discovery_malformed",
        "Something that is no answer of discovery came; usually from what stands between.",
    )
    WINDOW_EXCEEDED = "window_exceeded", "Make the filter narrower, or update discovery to one that has search v2."
    FILTER_CHANGED = "filter_changed", "Nothing to do: the run that the change asked for serves.", False
    GUARD_SHRINK = (
        "guard_shrink",
        "Approve it if so much should really go. A refresh much later that still finds it publishes it.",
    )
    GUARD_GROWTH = (
        "guard_growth",
        "Approve it if so much should really come. A refresh much later that still finds it publishes it.",
    )
    REJECTED = "rejected", "Nothing to do: somebody decided to keep the old set."
    SUPERSEDED = "superseded", "Nothing to do: another run does this one's work.", False
    INTERNAL_ERROR = "internal_error", "A bug, or workers that died; the log has the stack (refresh_crashed)."

    @classmethod
    def of(cls, error: errors.DiscoveryError) -> "Reason":
        """Return the reason of a fetch that failed with this error."""
        return next(_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR)


_BY_ERROR: dict[type, Reason] = {
    errors.DiscoveryUnavailable: Reason.DISCOVERY_UNAVAILABLE,
    errors.DiscoveryThrottled: Reason.DISCOVERY_THROTTLED,
    errors.DiscoveryRejected: Reason.DISCOVERY_REJECTED,
    errors.DiscoveryIncomplete: Reason.DISCOVERY_INCOMPLETE,
    errors.DiscoveryMalformed: Reason.DISCOVERY_MALFORMED,
    errors.WindowExceeded: Reason.WINDOW_EXCEEDED,
}
