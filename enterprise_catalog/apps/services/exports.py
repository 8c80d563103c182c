"""
Export what a catalog lists as CSV or XLSX, with one row per item (EXP-1).

Memory stays constant for catalogs of any size.
"""

import csv
import io
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

import orjson
from xlsxwriter import Workbook

from enterprise_catalog.apps.catalog.api_versions import ApiVersion
from enterprise_catalog.apps.catalog.content.export_rows import COLUMNS, Cell, export_row
from enterprise_catalog.apps.catalog.models import EnterpriseCatalog
from enterprise_catalog.apps.catalog.reading.pages import stream_listed
from enterprise_catalog.apps.catalog.rendering.template_filler import TemplateFiller
from enterprise_catalog.apps.customers.selectors import get_customer

CSV, XLSX = "csv", "xlsx"
# The Content-Type of each kind of file.
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

# The most a cell of a workbook can hold.
_XLSX_CELL_CHARACTERS = 32_767
_CHUNK_BYTES = 64 * 1024


def export_catalog(*, catalog: EnterpriseCatalog, api_version: ApiVersion, kind: str) -> Iterator[bytes]:
    """Yield a file of this kind, `csv` or `xlsx`. Call and consume inside `core.db.snapshots.snapshot`."""
    return (catalog_as_csv if kind == CSV else catalog_as_xlsx)(catalog=catalog, api_version=api_version)


def filename(*, catalog: EnterpriseCatalog, kind: str) -> str:
    return f"catalog-{catalog.uuid}.{kind}"


def catalog_as_csv(*, catalog: EnterpriseCatalog, api_version: ApiVersion) -> Iterator[bytes]:
    """Yield UTF-8 with a byte order mark, without which spreadsheet programs guess the encoding."""
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    line.write("\ufeff")
    for row in _rows(catalog, api_version):
        writer.writerow(row)
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def catalog_as_xlsx(*, catalog: EnterpriseCatalog, api_version: ApiVersion) -> Iterator[bytes]:
    """Yield a workbook, which is written to disk first."""
    with TemporaryFile() as file:
        # Text stays text, and is not taken for formulas, links or numbers.
        asis = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        with Workbook(file, {"constant_memory": True, **asis}) as workbook:
            sheet = workbook.add_worksheet("Catalog")
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(_rows(catalog, api_version)):
                sheet.write_row(number, 0, [_fitting(cell) for cell in row])
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _rows(catalog: EnterpriseCatalog, api_version: ApiVersion) -> Iterator[list[Cell]]:
    """Yield the header, then the items in the order of their keys (COM-9)."""
    yield list(COLUMNS)
    customer = get_customer(catalog.enterprise_uuid)
    fill = TemplateFiller(catalog=catalog, customer=customer)
    for template in stream_listed(query_id=catalog.catalog_query_id, api_version=api_version).items:
        item: dict[str, Any] = orjson.loads(fill(template))
        yield export_row(item)


def _fitting(cell: Cell) -> Cell:
    """Cut text to what a cell holds. An apostrophe keeps the library from writing `<r>...</r>` as markup."""
    if not isinstance(cell, str):
        return cell
    text = cell[:_XLSX_CELL_CHARACTERS]
    return f"'{text[: _XLSX_CELL_CHARACTERS - 1]}" if text.startswith("<r>") and text.endswith("</r>") else text
