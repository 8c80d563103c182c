"""A catalog's content as CSV and XLSX (EXP-1)."""

import csv
import io
import xml.etree.ElementTree as ET
import zipfile

import pytest

from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.refresh.pipeline.runner import refresh
from enterprise_catalog.apps.services import exports
from enterprise_catalog.testing.callers import OTHER_CUSTOMER_UUID, client_for, learner
from enterprise_catalog.testing.catalogs import make_catalog, path_of
from enterprise_catalog.testing.documents import course_document, program_document, run_document
from enterprise_catalog.testing.runs import keys, make_query, requested

pytestmark = pytest.mark.django_db

COLUMNS = [
    "content_key", "content_type", "title", "parent_content_key", "organizations", "subjects", "languages",
    "level_type", "start_date", "end_date", "enroll_by_date", "content_price", "active", "enrollment_url",
    "content_last_modified",
]  # fmt: skip
PROGRAM = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
RUN = "course-v1:edX+A+9T"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def body_of(response) -> bytes:
    return b"".join(response.streaming_content)


def csv_rows(catalog: EnterpriseCatalog) -> list[dict[str, str]]:
    text = body_of(learner().get(path_of(catalog, "export.csv"))).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def xlsx_rows(catalog: EnterpriseCatalog) -> list[list[str | float | bool | None]]:
    """Cells as the workbook types them; a formula fails."""
    with zipfile.ZipFile(io.BytesIO(body_of(learner().get(path_of(catalog, "export.xlsx"))))) as book:
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iter(f"{SHEET}row"):
        cells: list[str | float | bool | None] = [None] * len(COLUMNS)
        for cell in row:
            assert cell.find(f"{SHEET}f") is None
            value = "".join(cell.itertext())
            kind = cell.get("t")
            typed = value if kind == "inlineStr" else value == "1" if kind == "b" else float(value)
            cells[ord(cell.attrib["r"][0]) - ord("A")] = typed
        rows.append(cells)
    return rows


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    run = run_document(
        RUN, "edX+A", title="A run", org="edX", language="English", level_type="Introductory",
        start="2026-05-22T00:00:00Z", end="2027-05-22T00:00:00Z", enrollment_end="2027-05-12T00:00:00Z",
        first_enrollable_paid_seat_price=49,
    )  # fmt: skip
    program = program_document(
        PROGRAM,
        title="=HYPERLINK(1)",
        language=["English", "French"],
        authoring_organizations=[{"key": "edX", "name": "edX, Inc."}, {"key": "b", "name": None}],
    )
    return make_catalog(run, program)


def test_one_row_per_item_in_key_order(catalog):  # EXP-1, COM-9
    program, run = csv_rows(catalog)
    assert list(run) == COLUMNS
    assert run | {"enrollment_url": "", "content_last_modified": ""} == {
        "content_key": RUN,
        "content_type": "courserun",
        "title": "A run",
        "parent_content_key": "edX+A",
        "organizations": "edX",
        "subjects": "",
        "languages": "English",
        "level_type": "Introductory",
        "start_date": "2026-05-22T00:00:00Z",
        "end_date": "2027-05-22T00:00:00Z",
        "enroll_by_date": "2027-05-12T00:00:00Z",
        "content_price": "49.0",
        "active": "",
        "enrollment_url": "",
        "content_last_modified": "",
    }
    assert f"catalog={catalog.uuid}" in run["enrollment_url"]
    assert run["content_last_modified"].endswith("Z")
    assert (program["content_key"], program["content_type"]) == (PROGRAM, "program")
    assert (program["organizations"], program["languages"]) == ("edX: edX, Inc.; b", "English; French")


def test_a_course_says_what_its_advertised_run_says(sandbox):  # EXP-1, META-30
    """After a real refresh, so that items have the shapes of full records."""
    query = make_query({"content_type": "course"})
    refresh(requested(query).pk)
    catalog = make_catalog(query=query)
    items = learner().get(path_of(catalog, "get_content_metadata/?page_size=100")).json()["results"]
    rows = csv_rows(catalog)
    assert [row["content_key"] for row in rows] == [item["key"] for item in items] != []
    for row, item in zip(rows, items, strict=True):
        normalized = item["normalized_metadata"]
        assert row["start_date"] == (normalized["start_date"] or "")
        assert row["end_date"] == (normalized["end_date"] or "")
        assert row["enroll_by_date"] == (normalized["enroll_by_date"] or "")
        assert float(row["content_price"]) == normalized["content_price"]
        assert row["organizations"] == "; ".join(item["organizations"])
        assert row["subjects"] == "; ".join(subject["name"] for subject in item["subjects"])
        assert (row["active"], row["enrollment_url"]) == ("True", item["enrollment_url"] or "")
        assert row["content_last_modified"] == item["content_last_modified"]


def test_the_workbook_says_the_same_with_types(catalog):  # EXP-1
    header, *rows = xlsx_rows(catalog)
    assert header == COLUMNS
    as_text = [["" if cell is None else str(cell) for cell in row] for row in rows]
    assert as_text == [list(row.values()) for row in csv_rows(catalog)]
    assert rows[1][COLUMNS.index("content_price")] == 49.0


@pytest.mark.parametrize(
    "title",
    [
        *("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)"),
        *("  =1", "\u00a0\t1", "\ufeff=1", "\x00=1", "\u3000\u200b@SUM(1)"),
    ],
)
def test_text_is_never_a_formula(title):  # EXP-1
    catalog = make_catalog(program_document(PROGRAM, title=title))
    assert csv_rows(catalog)[0]["title"] == f"'{title}"
    # A workbook's own reader turns a return into a new line.
    assert str(xlsx_rows(catalog)[1][2]).startswith("'")


def test_the_file_lists_what_pages_list():  # EXP-1, META-4
    inactive = course_document("edX+Z") | {"course_runs": []}
    catalog = make_catalog(course_document("edX+A"), inactive)
    assert [row["content_key"] for row in csv_rows(catalog)] == ["edX+A"]


def test_an_empty_catalog_has_a_header():  # EXP-1, META-7
    catalog = make_catalog()
    assert csv_rows(catalog) == []
    assert xlsx_rows(catalog) == [COLUMNS]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("export.csv", "text/csv; charset=utf-8"),
        ("export.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_the_answer_is_a_file(name, content_type):  # EXP-1
    catalog = make_catalog(*keys(3))
    for accept in ("*/*", "text/csv", "application/json", "image/png"):
        response = learner().get(path_of(catalog, name), headers={"Accept": accept})
        assert (response.status_code, response["Content-Type"]) == (200, content_type)
    suffix = name.partition(".")[2]
    assert response["Content-Disposition"] == f'attachment; filename="catalog-{catalog.uuid}.{suffix}"'
    assert response["Cache-Control"] == "private, no-store"
    assert learner().head(path_of(catalog, name)).status_code == 200


@pytest.mark.parametrize("name", ["export.csv", "export.xlsx"])
def test_errors_are_json(name):  # EXP-1, ERR-1
    response = client_for("lee", f"enterprise_learner:{OTHER_CUSTOMER_UUID}").get(path_of(make_catalog(), name))
    assert (response.status_code, response.json()) == (403, {"detail": "MISSING: catalog.has_learner_access"})
    assert learner().post(path_of(make_catalog(), name)).status_code == 405


@pytest.mark.parametrize("name", ["export.csv", "export.xlsx"])
def test_rows_are_read_in_batches_and_statements_bounded(name, django_assert_num_queries):  # EXP-1
    """Authentication and catalog: two; snapshot, customer, count, and one statement per 100 items."""
    catalog = make_catalog(*keys(250))
    caller = learner()
    caller.get(path_of(catalog, name))
    with django_assert_num_queries(2 + 2 + 3 + 1, exact=False):
        body_of(caller.get(path_of(catalog, name)))


def test_long_text_fits_a_cell_of_a_workbook():  # EXP-1
    catalog = make_catalog(program_document(PROGRAM, title="x" * 40_000))
    assert len(csv_rows(catalog)[0]["title"]) == 40_000
    assert xlsx_rows(catalog)[1][2] == "x" * exports._XLSX_CELL_CHARACTERS
