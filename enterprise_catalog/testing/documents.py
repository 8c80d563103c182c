"""Build search documents of discovery."""

from typing import Any


def course_document(key: str, **fields) -> dict:
    """Return the search document of a course with one open run."""
    run = {
        "key": f"course-v1:{key}+1T",
        "is_enrollable": True,
        "status": "published",
        "is_marketable": True,
        "end": None,
    }
    return {"aggregation_key": f"course:{key}", "content_type": "course", "key": key, "course_runs": [run]} | fields


def run_document(key: str, course_key: str, **fields: Any) -> dict[str, Any]:
    return {"aggregation_key": f"courserun:{course_key}", "content_type": "courserun", "key": key} | fields


def program_document(uuid: str, **fields: Any) -> dict[str, Any]:
    return {
        "aggregation_key": f"program:{uuid}",
        "content_type": "program",
        "uuid": uuid,
        "title": "A program",
    } | fields
