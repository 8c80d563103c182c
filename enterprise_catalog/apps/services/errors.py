"""
Define the errors of services, which API, admin and commands turn into their own answers.

A service that raises one has written nothing, since it is one transaction (COM-21).
"""


class OperationError(Exception):
    """The request cannot be carried out."""


class FieldErrors(OperationError):
    """Error messages by field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors


class InvalidValues(FieldErrors):
    """Values that contradict what is stored already (ERR-2)."""


class Conflict(FieldErrors):
    """The object exists already with other values, or is in use (ERR-5)."""


class NotAllowed(OperationError):
    """The caller may not change everything that would change (PERM-20)."""


class Gone(OperationError):
    """The object was deleted or moved meanwhile."""
