"""
Why a document that could be fetched cannot be served: said in one place, for people who read what a run set aside.

Whoever builds from documents catches everything, since documents are the only input there (P7); nothing here catches.
"""

from django.conf import settings


class DocumentTooLarge(ValueError):
    """No database would take the row. The text is the reason."""


def check_row_size(size: int, what: str) -> None:
    """Raises TooLarge when a row of so many bytes fits no statement (DISC-17)."""
    if size > settings.DATABASE_STATEMENT_BYTES:
        raise DocumentTooLarge(
            f"{what} take {size} bytes together as stored, at most {settings.DATABASE_STATEMENT_BYTES} are allowed"
        )


def quarantine_reason(error: Exception) -> str:
    """The reason to report."""
    return str(error) if isinstance(error, DocumentTooLarge) else f"cannot be built: {type(error).__name__}"
