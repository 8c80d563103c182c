"""
Everything that a caller can send has a limit, the OpenAPI document states it, and it is true (COM-16).

A value of the longest length that the document allows is accepted. One that is longer by one is refused and nothing is
written, or it matches nothing where the document says so (`x-beyond`).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from django.urls import resolve

from enterprise_catalog.testing.callers import client_for
from tests.security.world import BODIES, PARAMETERS, World, body_of, path_arguments
from tests.security.writes import rolled_back

pytestmark = pytest.mark.django_db

DOCUMENT: dict[str, Any] = Client().get("/api/schema/").json()
OPERATOR = "enterprise_openedx_operator:*"
# A known number of characters each.
_BOUNDED_FORMATS = ("uuid", "date-time")
# What no caller supplies: discovery's texts, ours, and how much there is in the store. Of urls, the only thing a caller
# supplies is the request's own, which the server bounds.
_NOT_OF_CALLERS = {
    *["Catalogs.results", "Changes.results", "ContentMetadata.results", "Contents.results", "Explanations.results"],
    *["LegacyCatalogs.results", "LegacyContent.results", "LegacyQueries.results", "Queries.results"],
    *["CustomerContains.catalog_list", "Diff.items_not_included", "ContentFacts.quarantined", "Explanation.reasons"],
    *["LegacyContent.results[]", "ContentFacts.title", "ContentFacts.inactive_because", "ContentFacts.hint"],
    *[
        "ExplainedReason.detail",
        "Reason.code",
        "Reason.detail",
        "Quarantined.reason",
        "FieldErrors",
        "FieldErrors.*",
        "XML",
    ],
    *["Item.uuid", "Item.marketing_url", "Item.enrollment_url", "Item.xapi_activity_id"],
    *["Item.normalized_metadata_by_run", "Normalized.start_date", "Normalized.end_date"],
    *["Normalized.enroll_by_date", "Normalized.enroll_start_date"],
}

Schema = dict[str, Any]


def resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = DOCUMENT
        for name in schema["$ref"].split("/")[1:]:
            found = found[name]
        schema = found
    return schema


def types_of(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]


def has_bound(schema: Schema, *, in_components: bool) -> bool:
    """Return whether a schema limits each of its types."""
    bounds = {
        "string": "maxLength" in schema or schema.get("format") in (*_BOUNDED_FORMATS, "uri"),
        "array": "maxItems" in schema,
        "object": bool(schema.get("properties") or {"maxProperties", "x-max-bytes"} & set(schema)),
        # Of sizes in answers nobody asks for more.
        "integer": in_components or bool({"maximum", "x-beyond"} & set(schema)),
    }
    return all(bounds.get(name, True) for name in types_of(schema)) or bool({"enum", "const"} & set(schema))


def inner_schemas(schema: Schema, where: str) -> Iterator[tuple[Schema, str]]:
    if "items" in schema:
        yield schema["items"], f"{where}[]"
    for name, inner in schema.get("properties", {}).items():
        yield inner, f"{where}.{name}"
    if isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"], f"{where}.*"
    for inner in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        yield inner, where
    if "contentSchema" in schema:
        yield schema["contentSchema"], where


def unbounded(schema: Schema, where: str, *, in_components: bool = False) -> Iterator[str]:
    """Yield every string, list, object and integer in a schema without a limit. Components are visited once."""
    if "$ref" in schema and in_components:
        return
    schema = resolved(schema)
    if not has_bound(schema, in_components=in_components):
        yield where
    for inner, inside in inner_schemas(schema, where):
        yield from unbounded(inner, inside, in_components=in_components)


@dataclass(frozen=True)
class Operation:
    path: str
    method: str
    description: dict[str, Any]

    @property
    def body(self) -> Schema | None:
        content = self.description.get("requestBody", {}).get("content", {})
        return resolved(content["application/json"]["schema"]) if content else None

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return self.description.get("parameters", [])


OPERATIONS = [
    Operation(path, method, description)
    for path, item in DOCUMENT["paths"].items()
    for method, description in item.items()
]


def test_everything_that_is_sent_has_a_bound():  # COM-16, SURF-4
    wrong = []
    for operation in OPERATIONS:
        parts = [(f"{it['in']} {it['name']}", it["schema"]) for it in operation.parameters]
        contents = operation.description.get("requestBody", {}).get("content", {})
        parts += [(media_type, content["schema"]) for media_type, content in contents.items()]
        for name, schema in parts:
            wrong += unbounded(schema, f"{operation.method} {operation.path} {name}")
    assert not wrong, "\n".join(wrong)
    assert len(OPERATIONS) > 40


def test_everything_of_callers_in_answers_has_a_bound():  # COM-16, SURF-4
    found = set()
    for name, schema in DOCUMENT["components"]["schemas"].items():
        found.update(unbounded(schema, name, in_components=True))
    assert found - _NOT_OF_CALLERS == set()
    assert _NOT_OF_CALLERS - found == set()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": ["string", "null"], "pattern": "^x*$"},
        {"type": "array", "items": {"type": "string", "maxLength": 1}},
        {"type": "array", "items": {"type": "string"}, "maxItems": 1},
        {"type": "object"},
        {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": True}}},
        {"type": "integer", "minimum": 0},
        {"anyOf": [{"type": "boolean"}, {"type": "string"}]},
        {"type": "string", "maxLength": 9, "contentSchema": {"type": "object"}},
    ],
)
def test_values_without_a_bound_are_found(schema):
    assert list(unbounded(schema, "x"))


# --- What the document says is true ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """A value for one part of a request. `beyond` is the `x-beyond` of the document, or None."""

    what: str
    value: Any
    beyond: str | None = None


def filled(length: int, name: str) -> str:
    """Return a text of this length that is well-formed for its schema."""
    return ("0" * (length - 1) + "1") if name in ("page", "identifier") else "x" * length


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"key": value}
    return value


def many(schema: Schema, count: int) -> list[str]:
    is_uuid = resolved(schema).get("format") == "uuid"
    return [f"{number:032x}" if is_uuid else f"edX+{number}" for number in range(count)]


def values(schema: Schema, name: str, *, over: int) -> Iterator[Sent]:
    """Yield values at the limits of a schema (`over` 0), or beyond them by one (1)."""
    schema = resolved(schema)
    beyond = schema.get("x-beyond") if over else None
    for what, value in own_values(schema, name, over=over):
        yield Sent(f"{name}: {what}", value, beyond)
    if "items" in schema:
        for item in values(schema["items"], f"{name}[]", over=over):
            yield replace(item, value=[item.value])
    for inner in schema.get("anyOf", []):
        yield from values(inner, name, over=over)
    if "contentSchema" in schema:
        for item in values(schema["contentSchema"], f"{name} as text", over=over):
            yield replace(item, value=json.dumps(item.value))


def own_values(schema: Schema, name: str, *, over: int) -> Iterator[tuple[str, Any]]:
    if "maxLength" in schema:
        length = schema["maxLength"] + over
        if "contentSchema" not in schema:
            yield "length", filled(length, name)
        elif over:
            yield "length of the text", json.dumps({}).ljust(length)
    if "maxItems" in schema:
        yield "number", many(schema["items"], schema["maxItems"] + over)
    if "maximum" in schema:
        yield "largest", schema["maximum"] + over
    if "minimum" in schema and name != "page_size":
        yield "smallest", schema["minimum"] - over
    if "x-max-bytes" in schema:
        yield "bytes", {"key": "x" * (schema["x-max-bytes"] - len(json.dumps({"key": ""})) + over)}
        yield "levels", nested(schema["x-max-levels"] + over)


@pytest.fixture
def operator():
    client = client_for("olga", OPERATOR)
    # So that nothing but what is asked can be written.
    assert client.get("/api/v1/enterprise-catalogs/").status_code == 200
    return client


class Asker:
    """Sends requests that are well-formed in all parts but one."""

    def __init__(self, operation: Operation, world: World, client: Any) -> None:
        self.operation, self.client = operation, client
        segments = operation.path.split("/")
        start = segments.index("v1" if "v1" in segments else "v2") + 1
        names = {part.strip("{}") for part in segments if part.startswith("{")}
        pattern = "/".join(segments[start:])
        self.named = path_arguments(world, pattern=pattern, parameters=names, case="of-E")
        self.route = resolve(self._path({})).view_name.rpartition(":")[2]
        self.query = PARAMETERS.get(self.route, "")
        if self.route == "catalog-query-by-hash":
            self.query = f"hash={world.names['hash', 'of-E']}"
        self.body = body_of(self.route, operation.method.upper(), "of-E", world) if operation.body else None

    def _path(self, changed: dict[str, str]) -> str:
        path = self.operation.path
        for name, value in (self.named | changed).items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe="/+:"))
        return path

    def ask(self, where: str = "", name: str = "", value: Any = None) -> tuple[Any, list[str]]:
        """Return the response and what was written, and undo that."""
        query = [pair for pair in self.query.split("&") if pair and not pair.startswith(f"{name}=")]
        if where == "query":
            query.append(urlencode({name: value}, doseq=True))
        body = self.body
        if where == "body":
            body = {**(body or {}), name: value} if name else value
        headers = {name: value} if where == "header" else {}
        text = "" if body is None else json.dumps(body)
        with rolled_back() as written:
            answer = self.client.generic(
                self.operation.method.upper(),
                self._path({name: value} if where == "path" else {}),
                text,
                content_type="application/json",
                QUERY_STRING="&".join(query),
                headers=headers,
            )
            answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer, written

    def parts(self) -> Iterator[tuple[str, str, Schema]]:
        for parameter in self.operation.parameters:
            yield parameter["in"], parameter["name"], parameter["schema"]
        body = self.operation.body
        if body is not None:
            for name, schema in body.get("properties", {}).items():
                yield "body", name, schema
            if "properties" not in body:
                yield "body", "", body


def same_as_unknown(asker: Asker, where: str, name: str, sent: Sent, answer: Any) -> bool:
    """Return whether the response equals that for an unknown value, apart from the repeated value."""
    beyond = sent.beyond or ""
    if name == "If-None-Match":
        return bool(answer.status_code == 200)
    if beyond.startswith("counts as "):
        known, _ = asker.ask(where, name, beyond.rpartition(" ")[2])
    else:
        unknown = str(2**31) if name == "identifier" and "quer" in asker.operation.path else "edX+nothing"
        unknown = "0" * 32 if "uuid" in name and where == "query" and not isinstance(sent.value, list) else unknown
        known, _ = asker.ask(where, name, [unknown] if isinstance(sent.value, list) else unknown)
    text = sent.value[0] if isinstance(sent.value, list) else str(sent.value)
    shown = answer.body.decode().replace(text, "edX+nothing").replace(f"{text[:255]}...", "edX+nothing")
    return bool(answer.status_code == known.status_code) and without_own(shown) == without_own(known.body.decode())


def without_own(body: str) -> str:
    """Remove what differs in each response: the URL of the next page, and the cursor, which has a time."""
    return re.sub(r'"cursor":"[^"]*"|page_size=[0-9]+', "", body)


ASKED = [it for it in OPERATIONS if "service" not in it.description["tags"]]
IDS = [it.description["operationId"] for it in ASKED]


@pytest.mark.parametrize("operation", ASKED, ids=IDS)
def test_what_is_beyond_a_bound_is_refused(operation: Operation, world: World, operator: Any):
    """Each value over a limit gets 4xx, and nothing is written (COM-16, COM-21, ERR-2, ERR-4)."""
    asker = Asker(operation, world, operator)
    fine, _ = asker.ask()
    assert fine.status_code < 400 or operation.path.endswith(("approve/", "reject/")), fine.body
    wrong = []
    for where, name, schema in asker.parts():
        if where == "query" and name == "page_size":
            schema = schema | {"maximum": 10_000}
        for sent in values(schema, name, over=1):
            answer, written = asker.ask(where, name, sent.value)
            # COM-3, COM-7: what is no name of anything, or no page, is not found.
            refusals = (404,) if where == "path" or name == "page" else (400, 413)
            held = same_as_unknown(asker, where, name, sent, answer) if sent.beyond else answer.status_code in refusals
            if written or not held:
                wrong.append(f"{where} {sent.what}: {answer.status_code} {answer.body[:200]!r} wrote {written}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("operation", ASKED, ids=IDS)
def test_what_is_at_a_bound_is_taken(operation: Operation, world: World, operator: Any):  # COM-16
    asker = Asker(operation, world, operator)
    wrong = []
    for where, name, schema in asker.parts():
        # An id that no row has is unknown, whatever its size; a cursor is opaque; a hash is looked up.
        if name in ("enterprise_catalog_query", "since", "hash") or where == "path":
            continue
        for sent in values(schema, name, over=0):
            answer, _ = asker.ask(where, name, sent.value)
            if answer.status_code in (400, 413) or answer.status_code >= 500:
                wrong.append(f"{where} {sent.what}: {answer.status_code} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)


def test_all_bodies_have_been_thought_of():
    """One that is empty here would let the tests above ask nothing."""
    assert {it.method for it in ASKED if it.body} == {"post", "put", "patch"}
    assert {method for _, method in BODIES} == {"POST", "PUT", "PATCH"}
