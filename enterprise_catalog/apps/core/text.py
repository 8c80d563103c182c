"""Text of others that is shown: never more than a bounded piece of it."""

# Stands where the rest was.
CUT = "..."


def shortened(text: str, most: int) -> str:
    """The text, or its first `most` characters and three dots."""
    return text if len(text) <= most else f"{text[:most]}{CUT}"
