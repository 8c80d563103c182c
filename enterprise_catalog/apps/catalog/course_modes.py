"""
Check the course modes that a catalog enables, for the API and the admin (CRUD-2). They are stored for other services;
nothing in this service depends on them.
"""

from typing import Any

from django.conf import settings


class UnusableCourseModes(ValueError):
    """The course modes cannot be stored; the text is for the caller."""


def check_course_modes(value: Any) -> list[str]:
    """The modes, each once. Raises UnusableCourseModes for anything but a list of a few short texts (COM-16)."""
    if not isinstance(value, list) or not all(isinstance(mode, str) for mode in value):
        raise UnusableCourseModes("Expected a list of course modes.")
    if len(value) > settings.COURSE_MODES_LIMIT:
        raise UnusableCourseModes(f"Ensure this field has no more than {settings.COURSE_MODES_LIMIT} elements.")
    if not all(value):
        raise UnusableCourseModes("A course mode may not be blank.")
    if any(len(mode) > settings.COURSE_MODE_MAX_LENGTH for mode in value):
        most = settings.COURSE_MODE_MAX_LENGTH
        raise UnusableCourseModes(f"Ensure each course mode has no more than {most} characters.")
    return list(dict.fromkeys(value))
