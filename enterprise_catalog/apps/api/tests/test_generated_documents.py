"""
No document of discovery makes an export fail or frees a price (EXP-1, META-34).

Real-shaped documents are edited at random, stored, and read through the API.
"""

import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest
from django.http import StreamingHttpResponse
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.testing.callers import learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of, store
from enterprise_catalog.testing.generated_documents import ANYTHING, Pair, Path, edited_pairs, pairs, paths
from enterprise_catalog.testing.properties import examples

pytestmark = pytest.mark.django_db

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
CELL_CHARACTERS = 32_767
COLUMNS = 15


def store_pairs(stored: list[Pair]) -> list[str]:
    return store(
        *(document for document, _ in stored), records=[record for _, record in stored if isinstance(record, dict)]
    )


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    """A catalog with the samples as they are."""
    documents = pairs()
    return make_catalog(*(document for document, _ in documents), records=[it for _, it in documents if it is not None])


def exported(catalog: EnterpriseCatalog, name: str) -> bytes:
    response = learner().get(path_of(catalog, name))
    assert response.status_code == 200
    return b"".join(cast(StreamingHttpResponse, response))


def csv_rows(file: bytes) -> list[list[str]]:
    csv.field_size_limit(10**7)
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def xlsx_rows(file: bytes) -> Iterator[list[str | float | bool]]:
    """Yield the cells as the workbook types them. A part that is not well-formed, or a formula, fails."""
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        parts = {name: ET.fromstring(book.read(name)) for name in book.namelist() if name.endswith((".xml", ".rels"))}
    for row in parts["xl/worksheets/sheet1.xml"].iter(f"{SHEET}row"):
        cells: list[str | float | bool] = [""] * COLUMNS
        for cell in row:
            assert [part.tag for part in cell] in ([f"{SHEET}is"], [f"{SHEET}v"])
            text = "".join(cell.itertext())
            column = ord(cell.attrib["r"][0]) - ord("A")
            if cell.get("t") == "inlineStr":
                cells[column] = re.sub("_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text)
            else:
                cells[column] = text == "1" if cell.get("t") == "b" else float(text)
        yield cells


def is_text(cell: str) -> bool:
    """Return False for numbers, which a CSV file does not tell from text."""
    return not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?", cell)


def is_same(cell: str, in_workbook: str | float | bool) -> bool:
    """Return whether a cell of the CSV file and one of the workbook say the same."""
    if isinstance(in_workbook, bool):
        return cell == str(in_workbook)
    if isinstance(in_workbook, float):
        return float(f"{float(cell):.16G}") == in_workbook
    text = cell[:CELL_CHARACTERS]
    is_markup = text.startswith("<r>") and text.endswith("</r>")
    return in_workbook == (f"'{text[: CELL_CHARACTERS - 1]}" if is_markup else text)


def listed(catalog: EnterpriseCatalog, **params: str) -> list[dict[str, Any]]:
    response = learner().get(path_of(catalog, "get_content_metadata/"), {"page_size": "100"} | params)
    assert response.status_code == 200
    return response.json()["results"]


def test_every_generated_catalog_is_exported(catalog):  # EXP-1
    assert len(listed(catalog)) == 7

    @given(edited_pairs())
    @examples(40)
    def every(documents: list[Pair]) -> None:
        store_pairs(documents)
        items = listed(catalog)
        header, *rows = csv_rows(exported(catalog, "export.csv"))
        assert len(rows) == len(items)
        for row, item in zip(rows, items, strict=True):
            assert len(row) == len(header) == COLUMNS
            if item["content_type"] != "program":
                assert row[0].removeprefix("'") == item["key"] or not isinstance(item["key"], str)
            for cell in filter(is_text, row):
                shown = "".join(c for c in cell if c in "\t\r\n" or (c.isprintable() and not c.isspace()))
                assert not FORMULA.match(shown)
        _, *in_workbook = xlsx_rows(exported(catalog, "export.xlsx"))
        assert len(in_workbook) == len(rows)
        for row, cells in zip(rows, in_workbook, strict=True):
            assert [pair for pair in zip(row, cells, strict=True) if not is_same(*pair)] == []

    every()


# --- Prices -----------------------------------------------------------------------------------------------------------


def is_readable(price: Any) -> bool:
    """Return whether a price is missing, which is allowed, or reads as a number."""
    if isinstance(price, str | int | float) and not isinstance(price, bool):
        try:
            return price == "" or (abs(float(price)) != float("inf") and float(price) == float(price))
        except (ValueError, OverflowError):
            return False
    return price is None


UNREADABLE = ANYTHING.filter(lambda price: not is_readable(price))
COURSES = [pair for pair in pairs() if pair[0]["content_type"] == "course"]


def is_price(path: Path) -> bool:
    """Return whether a value in a full record is a price that META-34 names."""
    seat_price = path[0] == "course_runs" and path[-1] in ("fixed_price_usd", "first_enrollable_paid_seat_price")
    return seat_price or (path[0] == "entitlements" and path[-1] == "price")


@st.composite
def spoilt(draw: st.DrawFn, *, every: bool) -> Pair:
    """Return a course in which some or all of the prices cannot be read, and none is missing or 0."""
    document, record = draw(st.sampled_from(COURSES))
    spoilt_record = orjson.loads(orjson.dumps(record))
    for *parents, last in filter(is_price, paths(record)):
        holder = spoilt_record
        for step in parents:
            holder = holder[step]
        holder[last] = draw(UNREADABLE if every or draw(st.booleans()) else st.sampled_from(["99.00", 49, 0.5]))
    return document, spoilt_record


def prices_of(item: dict[str, Any]) -> list[float | None]:
    normalized = [item["normalized_metadata"], *item["normalized_metadata_by_run"].values()]
    return [entry["content_price"] for entry in normalized]


@pytest.mark.parametrize("every", [False, True], ids=["some", "all"])
def test_a_price_that_cannot_be_read_is_never_free(catalog, every):  # META-34
    @given(spoilt(every=every))
    @examples(60)
    def each(course: Pair) -> None:
        (key,) = store_pairs([course])
        (item,) = (item for item in listed(catalog, content_keys=key) if item["content_type"] == "course")
        prices = prices_of(item)
        assert len(prices) >= 2
        assert all(price is None if every else price is None or price > 0 for price in prices)

    each()
