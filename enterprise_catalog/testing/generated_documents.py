"""Generate documents of discovery: real-shaped samples with random edits, such as a field that has another type."""

from collections.abc import Iterator
from typing import Any

import orjson
from hypothesis import strategies as st

from tests.samples import sample

Path = tuple[Any, ...]
# Search document and full record, or None.
Pair = tuple[dict[str, Any], Any]

# What identifies a document. Discovery's answers are checked for these before anything is stored.
_IDENTITY = frozenset({"aggregation_key", "content_type", "key", "uuid"})
# Fields that the code reads. Half of the edits concern them, because documents have hundreds of others.
_READ = frozenset(
    {
        "active", "advertised_course_run_uuid", "authoring_organizations", "content_language", "course_run_keys",
        "course_run_statuses", "course_runs", "course_type", "end", "end_date", "enrollment_end", "enrollment_start",
        "entitlements", "enterprise_subscription_inclusion", "first_enrollable_paid_seat_price", "fixed_price_usd",
        "is_enrollable", "is_marketable", "language", "languages", "level_type", "marketing_url", "mode", "name",
        "normalized_metadata", "org", "organizations", "owners", "price", "product_source", "programs",
        "restriction_type", "seats", "sku", "start", "status", "subjects", "title", "type", "upgrade_deadline",
    }
)  # fmt: skip

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ODD_TEXT = st.sampled_from(
    ["", " ", "=1+1", " \t@SUM(1)", "\uff1d1", "\ufeff+1", "-1", "<r>&</r>", "<r></r>", "_x0041_", "\x00\x1f", "\uffff",
     "\r\n=1", "x" * 40_000, "49", "0", "1e400", "NaN", "free", "2026-01-01T00:00:00Z", "9999-12-31", "0001-01-01",
     "http://[broken", "verified", "published", "custom-b2b-enterprise", "executive-education-2u", "'", '"', ";", ","]
)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
ANYTHING = st.recursive(
    SCALARS | TEXT | ODD_TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.sampled_from(sorted(_READ)), inner, max_size=3)
    ),
    max_leaves=5,
)


def pairs() -> list[Pair]:
    """Return the samples, fresh for each caller."""
    return [(pair["search_document"], pair["full_record"]) for pair in sample("documents_and_records")["results"]]


_SAMPLES = pairs()


@st.composite
def edited(draw: st.DrawFn, document: dict[str, Any] | None) -> Any:
    """Return a copy of a document with some edits, or None if there is none. It keeps what identifies it."""
    if document is None:
        return None
    copy: dict[str, Any] = orjson.loads(orjson.dumps(document))
    for _ in range(draw(st.integers(0, 4))):
        found = [path for path in paths(copy) if not (len(path) == 1 and path[0] in _IDENTITY)]
        read = [path for path in found if path[-1] in _READ] if draw(st.booleans()) else []
        _edit(copy, draw(st.sampled_from(read or found)), draw)
    for field in draw(st.sets(st.sampled_from(sorted(_READ)), max_size=2)):
        copy.setdefault(field, draw(ANYTHING))
    return copy


@st.composite
def edited_pairs(draw: st.DrawFn) -> list[Pair]:
    """Return some samples, each with some edits."""
    chosen = draw(st.lists(st.integers(0, len(_SAMPLES) - 1), min_size=1, max_size=3, unique=True))
    return [(draw(edited(_SAMPLES[number][0])), draw(edited(_SAMPLES[number][1]))) for number in chosen]


def _edit(document: Any, path: Path, draw: st.DrawFn) -> None:
    *parents, last = path
    holder = document
    for step in parents:
        holder = holder[step]
    if draw(st.integers(0, 3)):
        holder[last] = draw(ANYTHING)
    elif isinstance(holder, list):
        holder.append(holder[last])
    else:
        del holder[last]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of all values in a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield (*path, step)
        yield from paths(member, (*path, step))
