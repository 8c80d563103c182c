"""Callers that have only a token, and how histories name who changed something (AUTH-5)."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import HttpRequest
from simple_history.models import HistoricalRecords

from enterprise_catalog.apps.core.models import User


class TokenCaller(AnonymousUser):
    """
    A caller whose token has the name of a local account with a password, which no token may use.

    Only the token's claims are known: there is no row, so no flag, group, permission or role assignment, and nothing to
    save. `namesake_id` is the id of the account with that name. It tells such callers apart in logs, histories and
    limits.
    """

    username: str  # type: ignore[assignment]

    def __init__(self, username: str, *, namesake_id: int) -> None:
        self.username = username
        self.namesake_id = namesake_id

    def __str__(self) -> str:
        return self.username

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenCaller) and other.namesake_id == self.namesake_id

    def __hash__(self) -> int:
        return hash((TokenCaller, self.namesake_id))

    @property
    def is_anonymous(self) -> Any:
        return False

    @property
    def is_authenticated(self) -> Any:
        return True


Caller = User | TokenCaller


class CallerRecords(HistoricalRecords):
    """
    A history whose rows name the user that made the change.

    A `TokenCaller` is not a user. The change reason names it instead, so that the account with that name is not blamed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(get_user=_history_user, **options)

    def get_change_reason_for_object(self, instance: Model, history_type: str, using: Any) -> str | None:
        reason: str | None = super().get_change_reason_for_object(instance, history_type, using)
        return reason or change_reason()


def change_reason() -> str | None:
    """Return the change reason for a `TokenCaller` who makes the current request; None for others and without one."""
    request = getattr(HistoricalRecords.context, "request", None)
    caller = getattr(request, "user", None)
    if not isinstance(caller, TokenCaller):
        return None
    return f"By a token with the name of local user {caller.namesake_id}, not by that user."


def _history_user(request: HttpRequest | None, **_: Any) -> User | None:
    caller = getattr(request, "user", None)
    return caller if isinstance(caller, User) else None
