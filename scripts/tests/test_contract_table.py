"""Tests of the table of requirements: what is not tested is found, and citations are told from other words."""

import re
from pathlib import Path

import pytest

from scripts import contract_table
from scripts.contract_table import citations, cited, problems, requirements, with_tests

PAGE = """Pages
=====

META-1
    Pages have numbers, such as::

        1, 2, 3

META-2
    The last one says so.

More.
"""
TABLE = """# CONT-2 is not in a constant.
TEXT = "META-3"
ROWS = list(TEXT)
OTHERS = "CONT-3"
"""
TESTS = '''
"""META-19: what a module says of itself proves nothing."""

from tests.table import ROWS as ALL_ROWS

CELLS = [row for row in ALL_ROWS]

# META-4: between tests.


class TestPages:  # META-5
    """META-6."""

    @pytest.mark.parametrize("number", [1], ids=["META-7 first"])
    def test_numbers(self):  # META-1
        ...

    def helper(self):
        """META-18."""


@pytest.mark.parametrize("cell", CELLS)
def test_cells(cell):
    """V2-1..3, CRUD-1 to CRUD-2, P10."""
    # CONT-1.3
    assert cell
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two requirements, both tested."""
    for name in ("docs/contract", "enterprise_catalog/sandbox/tests", "scripts", "tests"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "README.rst").write_text("A service.\n")
    (tmp_path / "docs/contract/pages.rst").write_text(PAGE)
    (tmp_path / "tests/test_pages.py").write_text('def test_numbers():\n    """META-1"""\n')
    (tmp_path / "tests/test_last.py").write_text("def test_the_last_one():  # META-2\n    pass\n")
    assert problems(tmp_path) == []
    return tmp_path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("META-3, P4.", ["META-3", "P4"]),
        ("ENR-1..3", ["ENR-1", "ENR-2", "ENR-3"]),
        ("P9 to P10", ["P9", "P10"]),
        ("(META-21 to META-22)", ["META-21", "META-22"]),
        ("META-2 to CONT-1", ["META-2", "CONT-1"]),
        ("CONT-1.3", ["CONT-1"]),
        ("UTF-8, P, META-x, XMETA-1", []),
    ],
)
def test_what_is_a_citation(text, names):
    assert list(cited(text)) == names


def test_where_a_citation_counts(root):
    (root / "tests/test_last.py").unlink()
    (root / "tests/table.py").write_text(TABLE)
    (root / "tests/test_pages.py").write_text(TESTS)
    found = citations(root)
    by_class = {name for name, tests in found.items() if tests == ["tests/test_pages.py::TestPages::test_numbers"]}
    by_function = {name for name, tests in found.items() if tests == ["tests/test_pages.py::test_cells"]}
    assert by_class == {"META-1", "META-5", "META-6", "META-7"}
    assert by_function == {"META-3", "V2-1", "V2-2", "V2-3", "CRUD-1", "CRUD-2", "P10", "CONT-1"}
    assert found.keys() == by_class | by_function


def test_tests_of_the_sandbox_prove_nothing(root):
    (root / "tests/test_last.py").unlink()
    (root / "enterprise_catalog/sandbox/tests/test_pages.py").write_text('def test_it():\n    """META-2."""\n')
    assert problems(root) == ["META-2 is cited by no test"]


def test_a_requirement_without_test_is_found(root):
    (root / "tests/test_pages.py").write_text("def test_numbers():\n    pass\n")
    assert problems(root) == ["META-1 is cited by no test"]


@pytest.mark.parametrize("path", ["README.rst", "scripts/pages.py", "tests/test_more.py", "docs/operations.rst"])
def test_an_unknown_id_is_found_wherever_it_stands(root, path):
    (root / path).write_text("See META-3.\n" if path.endswith(".rst") else "# META-3\n")
    assert f"{path} mentions META-3, which no page of docs/contract states" in problems(root)


def test_a_requirement_is_stated_once(root):
    (root / "docs/contract/other.rst").write_text("META-1\n    Again.\n")
    with pytest.raises(ValueError, match=r"pages\.rst states META-1 again"):
        requirements(root)


def test_a_page_becomes_a_table():
    page = with_tests(PAGE, tested={"META-1": ["tests/a.py::test_b", "tests/a.py::T::test_c"]})
    assert (
        page
        == """Pages
=====

.. list-table::
   :header-rows: 1
   :widths: 14 86

   * - Id
     - Requirement, and the tests that cite it
   * - META-1
     - Pages have numbers, such as::

           1, 2, 3

       * ``tests/a.py``: ``test_b``, ``T::test_c``
   * - META-2
     - The last one says so.

       *No test.*

More.
"""
    )


def test_the_table_is_printed(capsys):
    assert contract_table.main(["SURF-3"]) == 0
    printed = capsys.readouterr().out
    assert re.search(
        r"^SURF-3\n(    .*\n)*    enterprise_catalog/apps/core/tests/test_health.py::", printed, re.MULTILINE
    )
