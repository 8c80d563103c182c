"""Read a course document: its runs, which of them are restricted, active or advertised, and executive education."""

import math
from typing import Any

from enterprise_catalog.apps.discovery.search_documents import content_key_error

EXEC_ED_COURSE_TYPE = "executive-education-2u"
EXEC_ED_ENTITLEMENT_MODE = "paid-executive-education"


def is_exec_ed(course: dict[str, Any]) -> bool:
    """Executive education is fulfilled per course, not per run."""
    return course.get("course_type") == EXEC_ED_COURSE_TYPE


def number(value: Any) -> float | None:
    """Return a price as a number, since discovery sends some as text (META-35), or None if it cannot be read as one."""
    if isinstance(value, bool):
        return None
    try:
        parsed = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) else None


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list. Other entries are left out, and anything but a list is an empty one (DISC-17)."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def nested_runs(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs inside a course document: the objects that have a key."""
    runs = document.get("course_runs")
    if not isinstance(runs, list):
        return []
    return [run for run in runs if isinstance(run, dict) and isinstance(run.get("key"), str) and run["key"]]


def runs_of(course: dict[str, Any]) -> dict[str, bool]:
    """
    The keys of all runs nested in a course document, each with whether the run is restricted. Runs whose key cannot be
    a content key are left out: they are shown with their course, and nobody can ask for them.
    """
    return {run["key"]: is_restricted(run) for run in nested_runs(course) if content_key_error(run["key"]) is None}


def is_restricted(run: dict[str, Any]) -> bool:
    """True for a run with a restriction, which v1 hides from everybody (V2-2)."""
    return run.get("restriction_type") is not None


def may_be_allowed(run: dict[str, Any]) -> bool:
    """True for the one kind of restriction that a filter can lift (V2-1)."""
    return run.get("restriction_type") == "custom-b2b-enterprise"


def is_active(course: dict[str, Any]) -> bool:
    """
    True if learners can enrol in the course now, and it is meant to be found (META-20). The course has to contain only
    runs that its reader may see.
    """
    return any(is_open(run) for run in nested_runs(course))


def why_inactive(course: dict[str, Any]) -> str | None:
    """A sentence part for people that says why a course is not active (META-20); None if it is active."""
    runs = nested_runs(course)
    open_runs = [run for run in runs if run.get("is_enrollable") is True]
    if any(map(is_open, open_runs)):
        return None
    if not runs:
        return "it shows no runs"
    if not open_runs:
        return "none of its runs can be enrolled in"
    if not any(map(_is_published, open_runs)):
        return "no run that can be enrolled in is published"
    return "no published run that can be enrolled in is marketed"


def advertised_run(course: dict[str, Any]) -> dict[str, Any] | None:
    """The nested run whose uuid the course advertises; None if the uuid is null or matches no run."""
    advertised = course.get("advertised_course_run_uuid")
    if not advertised:
        return None
    return next((run for run in nested_runs(course) if run.get("uuid") == advertised), None)


def describe_runs(course: dict[str, Any]) -> None:
    """Make the summaries of a course's runs agree with its runs, so that they reveal no hidden ones (V2-6)."""
    runs = dicts(course["course_runs"])
    course["course_run_keys"] = [run["key"] for run in nested_runs(course)]
    course["course_run_statuses"] = sorted({run["status"] for run in runs if isinstance(run.get("status"), str)})


def is_open(run: dict[str, Any]) -> bool:
    if run.get("is_enrollable") is not True:
        return False
    # A restricted run is only seen if a filter allows it. Such runs are not marketed.
    meant_to_be_found = run.get("is_marketable") is True or is_restricted(run)
    return (_is_published(run) and meant_to_be_found) or run.get("is_marketable_external") is True


def _is_published(run: dict[str, Any]) -> bool:
    return str(run.get("status") or "").lower() == "published"
