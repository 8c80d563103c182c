"""
Turn an error raised while an item is built into the reason stored with a quarantined document.

Code that builds items catches every error, since documents are its only input (P7). Nothing is caught here.
"""

from django.conf import settings


class DocumentTooLarge(ValueError):
    """The row is too large for a statement. The text is the reason."""


def check_row_size(size: int, what: str) -> None:
    """Raise DocumentTooLarge if a row of this number of bytes does not fit into a statement (DISC-17)."""
    if size > settings.DATABASE_STATEMENT_BYTES:
        raise DocumentTooLarge(
            f"{what} take {size} bytes together as stored, at most {settings.DATABASE_STATEMENT_BYTES} are allowed"
        )


def quarantine_reason(error: Exception) -> str:
    """The reason to store and report."""
    return str(error) if isinstance(error, DocumentTooLarge) else f"cannot be built: {type(error).__name__}"
