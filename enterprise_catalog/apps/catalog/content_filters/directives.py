"""
Read the keys of a content filter that are meant for this service: allowed restricted runs and forced courses (V2-1,
REFR-19).

Values without meaning are ignored and never refused, as the contract says. The log or the caller learns of them.
"""

from typing import Any

import structlog

from enterprise_catalog.apps.discovery.search_documents import content_key_error

log = structlog.get_logger(__name__)

RESTRICTED_RUNS_KEY = "restricted_runs_allowed"
FORCED_COURSES_KEY = "enterprise_force_include_aggregation_keys"
_COURSE_PREFIX = "course:"


def allowed_runs(content_filter: dict[str, Any]) -> dict[str, frozenset[str]]:
    """The keys of the runs that a filter allows, by course key."""
    mapping = content_filter.get(RESTRICTED_RUNS_KEY)
    if mapping is None:
        return {}
    if not isinstance(mapping, dict):
        log.warning("restricted_runs_ignored", reason="not an object")
        return {}
    allowed: dict[str, frozenset[str]] = {}
    for key, runs in mapping.items():
        if not isinstance(runs, list):
            log.warning("restricted_runs_ignored", reason="not a list", course=key)
            continue
        course = key.removeprefix(_COURSE_PREFIX)
        allowed[course] = allowed.get(course, frozenset()) | {run for run in runs if isinstance(run, str)}
    return allowed


def forced_courses(content_filter: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the keys of the courses that a filter forces in, each once, and ignored ones with the reason."""
    listed = content_filter.get(FORCED_COURSES_KEY)
    if not isinstance(listed, list):
        return [], {}
    keys = {key.removeprefix(_COURSE_PREFIX) for key in listed if isinstance(key, str)} - {""}
    ignored = {key: problem for key in keys if (problem := content_key_error(key))}
    return sorted(keys - ignored.keys()), ignored
