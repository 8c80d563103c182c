"""A caller without a row, and how histories say who changed something (AUTH-5)."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import HttpRequest
from simple_history.models import HistoricalRecords

from enterprise_catalog.apps.core.models import User


class TokenCaller(AnonymousUser):
    """
    Somebody whom a token names by the name of a local account, which no token opens. What the token says is all that is
    known of them: there is no row, so no flag, group, permission or role assignment, and nothing to save.

    `namesake_id` is the id of the account with that name, to tell such callers apart in logs, histories and limits.
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
    A history whose rows name the user that made the change. A `TokenCaller` is no user: the reason says so instead, and
    the account with that name is not blamed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(get_user=_user_of, **options)

    def get_change_reason_for_object(self, instance: Model, history_type: str, using: Any) -> str | None:
        reason: str | None = super().get_change_reason_for_object(instance, history_type, using)
        return reason or change_reason()


def change_reason() -> str | None:
    """What the history says of the request at hand beside the user; None outside of one."""
    request = getattr(HistoricalRecords.context, "request", None)
    caller = getattr(request, "user", None)
    if not isinstance(caller, TokenCaller):
        return None
    return f"By a token with the name of local user {caller.namesake_id}, not by that user."


def _user_of(request: HttpRequest | None, **_: Any) -> User | None:
    caller = getattr(request, "user", None)
    return caller if isinstance(caller, User) else None
