"""Read a course document: its runs, which of them are restricted, active or advertised, and executive education."""

import math
from typing import Any

from enterprise_catalog.apps.discovery.search_documents import content_key_error

EXEC_ED_COURSE_TYPE = "executive-education-2u"
EXEC_ED_ENTITLEMENT_MODE = "paid-executive-education"


def is_exec_ed(course: dict[str, Any]) -> bool:
    """Executive education is fulfilled per course, not per run."""
    return course.get("course_type") == EXEC_ED_COURSE_TYPE


def number(value: Any) -> float:
    """A price as a number: discovery sends some as text (META-35); what is none counts as nothing."""
    if isinstance(value, bool):
        return 0.0
    try:
        parsed = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return parsed if math.isfinite(parsed) else 0.0


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; null lists and odd entries count as empty (DISC-17)."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def nested_runs(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs inside a course document that can be told apart by a key; odd entries are no runs."""
    runs = document.get("course_runs")
    if not isinstance(runs, list):
        return []
    return [run for run in runs if isinstance(run, dict) and isinstance(run.get("key"), str) and run["key"]]


def runs_of(course: dict[str, Any]) -> dict[str, bool]:
    """
    Keys of all runs nested in a course document, each with whether it is restricted. One that cannot be a content key
    is shown with its course and never asked for.
    """
    return {run["key"]: is_restricted(run) for run in nested_runs(course) if content_key_error(run["key"]) is None}


def is_restricted(run: dict[str, Any]) -> bool:
    """True for a run that only some may see; v1 shows it to nobody (V2-2)."""
    return run.get("restriction_type") is not None


def may_be_allowed(run: dict[str, Any]) -> bool:
    """True for the one kind of restriction that a filter can lift (V2-1)."""
    return run.get("restriction_type") == "custom-b2b-enterprise"


def is_active(course: dict[str, Any]) -> bool:
    """
    META-20, of a course that shows only the runs its reader may see: somebody can enrol in it now, and it is meant to
    be found.
    """
    return any(_is_open(run) for run in nested_runs(course))


def why_inactive(course: dict[str, Any]) -> str | None:
    """What is missing for META-20, in words for people; None of a course that is active."""
    runs = nested_runs(course)
    open_runs = [run for run in runs if run.get("is_enrollable") is True]
    if any(map(_is_open, open_runs)):
        return None
    if not runs:
        return "it shows no runs"
    if not open_runs:
        return "none of its runs can be enrolled in"
    if not any(map(_is_published, open_runs)):
        return "no run that can be enrolled in is published"
    return "no published run that can be enrolled in is marketed"


def advertised_run(course: dict[str, Any]) -> dict[str, Any] | None:
    """The nested run whose uuid the course advertises; none if that is null or matches nothing."""
    advertised = course.get("advertised_course_run_uuid")
    if not advertised:
        return None
    return next((run for run in nested_runs(course) if run.get("uuid") == advertised), None)


def hide_restricted_runs(item: dict[str, Any]) -> None:
    """V2-2, V2-6: as every surface but v2 shows a course."""
    runs = item.get("course_runs")
    if not isinstance(runs, list):
        return
    visible = [run for run in runs if not (isinstance(run, dict) and is_restricted(run))]
    if len(visible) == len(runs):
        return
    item["course_runs"] = visible
    _describe_runs(item)


def hide_restricted_runs_of_courses(program: dict[str, Any]) -> None:
    """V2-2, of the courses inside a program; those themselves stay as they were, since they are the record's."""
    courses = program.get("courses")
    if isinstance(courses, list):
        program["courses"] = [dict(course) if isinstance(course, dict) else course for course in courses]
        for course in dicts(program["courses"]):
            hide_restricted_runs(course)


def _is_open(run: dict[str, Any]) -> bool:
    if run.get("is_enrollable") is not True:
        return False
    # A restricted run that is seen at all is an allowed one, and those are not marketed.
    meant_to_be_found = run.get("is_marketable") is True or is_restricted(run)
    return (_is_published(run) and meant_to_be_found) or run.get("is_marketable_external") is True


def _is_published(run: dict[str, Any]) -> bool:
    return str(run.get("status") or "").lower() == "published"


def _describe_runs(item: dict[str, Any]) -> None:
    """What a course says about its runs must not give away hidden ones (V2-6)."""
    runs = dicts(item["course_runs"])
    item["course_run_keys"] = [run["key"] for run in nested_runs(item)]
    item["course_run_statuses"] = sorted({run["status"] for run in runs if isinstance(run.get("status"), str)})
