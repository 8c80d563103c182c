"""
Answer search/all, v1 and v2: select, order and page documents as discovery does (DISC-2, 3, 8, 9, 14, 15).

`matching` has the filters, and the data set the documents.
"""

import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from enterprise_catalog.sandbox.config import SandboxConfig
from enterprise_catalog.sandbox.dataset import Dataset, Entry, View
from enterprise_catalog.sandbox.documents import run_core
from enterprise_catalog.sandbox.facts import Run
from enterprise_catalog.sandbox.matching import Params, attributes_of, compile_filter, flag, read_params
from enterprise_catalog.sandbox.messages import Answer, Request, bad_request, not_found

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
# What the index sorts a document without a date as, in descending order.
NO_DATE = -(2**63)
TYPE_ORDER = ("course", "courserun", "program", "learnerpathway", "person")
# These shape the answer; they select nothing.
CONTROLS = frozenset(
    {
        "page",
        "page_size",
        "ordering",
        "search_after",
        "limit",
        "offset",
        "format",
        "exclude_expired_course_run",
        "include_learner_pathways",
        "include_restricted",
        "detail_fields",
    }
)
KEPT_RESULTS = 32


@dataclass(frozen=True)
class Hit:
    entry: Entry
    revision: int
    attributes: dict[str, tuple[Any, ...]]
    content_type: str
    aggregation_key: str
    start: int


class SearchIndex:
    def __init__(self, *, dataset: Dataset, config: SandboxConfig) -> None:
        self._dataset = dataset
        self._config = config
        self._lock = Lock()
        self._built_from: list[Entry] | None = None
        self._hits: list[Hit] = []
        self._results: OrderedDict[Any, list[Hit]] = OrderedDict()

    def warm_up(self) -> None:
        """Index now what the first search would have to wait for."""
        with self._lock:
            self._refresh()

    def page_v1(self, request: Request) -> Answer:
        params = _params(request)
        size = _page_size(params)
        number = _whole_number(_last(params, "page") or "1")
        if number is None or number < 1:
            return not_found("Invalid page.")
        hits = self._select(params, _order_v1(params))
        first, beyond = (number - 1) * size, number * size
        if beyond > self._config.search_window and len(hits) > first:
            # What discovery makes of the index's "Result window is too large" (DISC-9).
            return Answer(status=500, payload="<h1>Server Error (500)</h1>", page=number)
        if number > 1 and first >= len(hits):
            return Answer(status=404, payload={"detail": "Invalid page."}, page=number)
        page = self._documents(hits[first:beyond], params)
        return Answer(
            page=number,
            payload={
                "count": min(len(hits), self._config.count_cap),
                "next": request.url_with(page=number + 1) if len(hits) > beyond else None,
                "previous": request.url_with(page=number - 1) if number > 1 else None,
                "facets": {},
                "results": page,
            },
        )

    def page_v2(self, request: Request) -> Answer:
        params = _params(request)
        if "page" in params:
            return bad_request("`page` cannot be used with `search_after`.")
        size = _page_size(params)
        sort_key, sort_values = _order_v2(params)
        hits = self._select(params, sort_key)
        first = 0
        if cursor_text := _last(params, "search_after"):
            cursor = _cursor(cursor_text, len(sort_values(hits[0])) if hits else None)
            if cursor is None:
                return bad_request("Invalid JSON format for search_after parameter")
            # Everything that does not sort strictly after the cursor has been seen; ties with it are lost (DISC-15).
            try:
                first = bisect_right(hits, sort_key.cursor(cursor), key=sort_key)
            except TypeError:
                return bad_request("failed to parse search_after")
        chosen = hits[first : first + size]
        documents = [
            {**document, "aggregation_uuid": hit.entry.aggregation_uuid, "sort": sort_values(hit)}
            for hit, document in zip(chosen, self._write(chosen, params), strict=True)
        ]
        # A full page promises another one, also when it was the last (DISC-3).
        promised = len(chosen) == size
        following = request.url_with(search_after=json.dumps(sort_values(chosen[-1]))) if promised else None
        return Answer(
            page=first // size + 1 if first % size == 0 else first // size + 2,
            payload={
                "count": min(len(hits), self._config.count_cap),
                "next": following,
                "previous": None,
                "facets": {},
                "results": _grouped(documents),
            },
        )

    def _select(self, params: Params, sort_key: "SortKey") -> list[Hit]:
        asked = {name: values for name, values in params.items() if name not in CONTROLS}
        restrictions = _restrictions(params)
        pathways = flag(params, "include_learner_pathways")
        with self._lock:
            self._refresh()
            question = (tuple(sorted(asked.items())), restrictions, pathways, sort_key.fields)
            if question not in self._results:
                matches = compile_filter(asked)
                self._results[question] = sorted(
                    (
                        hit
                        for hit in self._hits
                        if (pathways or hit.content_type != "learnerpathway")
                        and hit.entry.restriction in (None, *restrictions)
                        and matches(hit.attributes)
                    ),
                    key=sort_key,
                )
                if len(self._results) > KEPT_RESULTS:
                    self._results.popitem(last=False)
            return self._results[question]

    def _refresh(self) -> None:
        """Index anew after a change of content."""
        entries = self._dataset.entries()
        if entries is self._built_from:
            return
        known = {hit.entry.identity: hit for hit in self._hits}
        self._hits = [_hit(entry, self._dataset, known.get(entry.identity)) for entry in entries]
        self._built_from = entries
        self._results.clear()

    def _documents(self, hits: Sequence[Hit], params: Params) -> list[Any]:
        return _grouped(self._write(hits, params))

    def _write(self, hits: Sequence[Hit], params: Params) -> list[Any]:
        view = View(shows_run=_run_test(params))
        return [self._dataset.document(hit.entry, view) for hit in hits]


def _hit(entry: Entry, dataset: Dataset, known: Hit | None) -> Hit:
    revision = dataset.revision(entry)
    if known is not None and known.entry is entry and known.revision == revision:
        return known
    document = dataset.document(entry, View())
    attributes = attributes_of(document, entry.hidden)
    starts = attributes.get("start", ())
    return Hit(
        entry=entry,
        revision=revision,
        attributes=attributes,
        content_type=str(document.get("content_type")),
        aggregation_key=str(document.get("aggregation_key")),
        start=int(max(starts) * 1000) if starts else NO_DATE,
    )


class SortKey:
    """An ordering of hits that can also place a cursor among them."""

    def __init__(self, fields: tuple[str, ...], *, tie_breaker: bool) -> None:
        self.fields = fields
        self._tie_breaker = tie_breaker

    def __call__(self, hit: Hit) -> tuple[Any, ...]:
        values = [_sortable(field, _value(field, hit)) for field in self.fields]
        return (*values, hit.entry.identity) if self._tie_breaker else tuple(values)

    def cursor(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(_sortable(field, value) for field, value in zip(self.fields, values, strict=True))


def _value(field: str, hit: Hit) -> Any:
    name = field.lstrip("-")
    if name == "start":
        return hit.start
    return hit.aggregation_key if name == "aggregation_key" else hit.entry.aggregation_uuid


def _sortable(field: str, value: Any) -> Any:
    """Documents without a date come last, whichever way dates run; text is only ever sorted upwards or wholly down."""
    if field == "start":
        return float("inf") if value == NO_DATE else value
    if field == "-start":
        return -value
    return tuple(-ord(character) for character in value) if field.startswith("-") else value


def _order_v1(params: Params) -> SortKey:
    return SortKey(_ordering(params, {"start", "aggregation_key"}, ("-start", "aggregation_key")), tie_breaker=True)


def _order_v2(params: Params) -> tuple[SortKey, Callable[[Hit], list[Any]]]:
    fields = _ordering(params, {"start", "aggregation_uuid"}, ("-start", "aggregation_uuid"))
    return SortKey(fields, tie_breaker=False), lambda hit: [_value(field, hit) for field in fields]


def _ordering(params: Params, known: set[str], default: tuple[str, ...]) -> tuple[str, ...]:
    asked = [field.strip() for value in params.get("ordering", ()) for field in value.split(",")]
    return tuple(field for field in asked if field.lstrip("-") in known) or default


def _run_test(params: Params) -> Callable[[Run], bool]:
    """Which nested runs a request sees: expiry trims them unless any request value happens to be theirs (DISC-14)."""
    restrictions = _restrictions(params)
    trims = flag(params, "exclude_expired_course_run")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def shows(run: Run) -> bool:
        if run.restriction not in (None, *restrictions):
            return False
        if not trims or run.end is None or run.end >= now:
            return True
        facts = run_core(run)
        return any(str(facts[name]) in values for name, values in params.items() if name in facts)

    return shows


def _grouped(documents: list[Any]) -> list[Any]:
    """A page lists its documents type by type (DISC-15)."""
    order = {name: position for position, name in enumerate(TYPE_ORDER)}
    return sorted(documents, key=lambda document: order.get(document.get("content_type"), len(order)))


def _params(request: Request) -> dict[str, tuple[str, ...]]:
    """Discovery lets the body override the URL, also for paging (DISC-6)."""
    return read_params(request.query, request.body if isinstance(request.body, dict) else {})


def _restrictions(params: Params) -> tuple[str, ...]:
    return tuple(sorted({part.strip() for value in params.get("include_restricted", ()) for part in value.split(",")}))


def _last(params: Params, name: str) -> str | None:
    values = params.get(name)
    return values[-1] if values else None


def _page_size(params: Params) -> int:
    size = _whole_number(_last(params, "page_size") or "")
    return min(size, MAX_PAGE_SIZE) if size else DEFAULT_PAGE_SIZE


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _cursor(text: str, length: int | None) -> list[Any] | None:
    try:
        cursor = json.loads(text)
    except ValueError:
        return None
    fits = isinstance(cursor, list) and length in (None, len(cursor))
    return cursor if fits else None
