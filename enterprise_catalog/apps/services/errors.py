"""
Why the desk refuses: what every face of it (API, admin, commands) turns into its own kind of answer.

Raising one of these leaves nothing behind: each operation is one transaction (COM-21).
"""


class OperationError(Exception):
    """Something the caller asked for cannot be done."""


class FieldErrors(OperationError):
    """A refusal that names fields."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


class InvalidValues(FieldErrors):
    """Values that cannot be stored together with what is stored already (ERR-2)."""


class Conflict(FieldErrors):
    """Somebody made this already, otherwise (ERR-5)."""


class NotAllowed(OperationError):
    """The caller's roles do not reach all that would change (PERM-20)."""


class Gone(OperationError):
    """What should change or go was deleted meanwhile."""
