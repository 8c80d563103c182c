"""Shorten text that callers or other services sent, before it is shown."""

from django.conf import settings

# Replaces what was cut off.
CUT = "..."


def shortened(text: str, most: int) -> str:
    """Return the text, or its first `most` characters and three dots."""
    return text if len(text) <= most else f"{text[:most]}{CUT}"


def error_text(text: str) -> str:
    """Shorten an error message, which may repeat what the caller sent, to ERROR_TEXT_MAX_CHARACTERS (COM-16)."""
    return shortened(text, settings.ERROR_TEXT_MAX_CHARACTERS)
