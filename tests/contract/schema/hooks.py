"""
List what the service does on purpose in another way than the OpenAPI document can say, each with its requirement.

Everything else that Schemathesis finds is a bug of the document or of the service. Schemathesis loads this module
(`schemathesis.toml`), which imports nothing of the service.
"""

import json
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

_TEXT = {"type": "string"}

# As with the deployed service (CRUD-3, COM-4, LEG-3). An empty flag is false (COM-11).
_NONE_IF_EMPTY = ("enterprise_customer", "format", "uuid", "enterprise_catalog_query", "enterprise_catalog")

# Reasons to refuse what each field by itself may be.
_BEYOND_SCHEMAS = (
    # At least one of two parameters (ERR-3).
    "You must provide at least one of the following query parameters: course_run_ids, program_uuids.",
    # Another query has this title or filter already (QRY-6).
    "is already used by catalog query",
    # There is no query with this id (LEG-19).
    "object does not exist.",
)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    for parameter in _parameters(raw_schema):
        if parameter["name"] == "page_size":
            # What is no size is the default (COM-8). The document says what makes sense.
            parameter["schema"] = {"anyOf": [parameter["schema"], _TEXT]}
        if parameter["name"] == "since":
            # A cursor is opaque (CHG-3), so none can be made up.
            parameter["schema"] = {"type": "string", "format": "date-time"}
        if parameter["in"] == "query" and (parameter["name"] in _NONE_IF_EMPTY or _is_flag(parameter)):
            parameter["allowEmptyValue"] = True
    for part in _parts(raw_schema["paths"] | raw_schema["components"]["schemas"]):
        if "x-beyond" in part:
            # What is longer is no error: it matches nothing, or counts as the longest (COM-8, COM-16).
            for bound in ("maxLength", "maximum", "minimum"):
                part.pop(bound, None)
        if "contentSchema" in part:
            # Schemathesis makes up texts by their format only.
            part["format"] = f"json-{part['contentSchema']['type']}"
        if "format" in part and part.get("type") == ["string", "null"]:
            # It would make up any text here.
            part["anyOf"] = [{"type": "string", "format": part.pop("format")}, {"type": part.pop("type")[1]}]


@schemathesis.hook
def filter_failure(context: Any, failure: Exception, case: Any, response: Any) -> bool:
    """Return whether it is a failure."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        return not any(text in response.text for text in _BEYOND_SCHEMAS)
    if isinstance(failure, AcceptedNegativeData) and "`page`" in str(failure):
        # There are no pages where everything is one answer (META-3).
        return "traverse_pagination=true" not in response.request.url
    return True


def _is_flag(parameter: dict[str, Any]) -> bool:
    return parameter["schema"].get("type") == "boolean"


def _parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path_item in document["paths"].values():
        for operation in path_item.values():
            yield from operation.get("parameters", [])


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _parts(inner)


_texts = st.text(max_size=10)
schemathesis.openapi.format("json-array", st.lists(st.text(min_size=1, max_size=10), max_size=3).map(json.dumps))
schemathesis.openapi.format("json-object", st.dictionaries(_texts, _texts | st.integers(), max_size=3).map(json.dumps))
