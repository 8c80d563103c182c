"""Tests of the rules about modules: each rule finds what breaks it, and nothing else."""

from pathlib import Path

import pytest

from scripts import code_rules
from scripts.code_rules import fault_of_first_sentence

APPS = "enterprise_catalog/apps"
GOOD = '"""Read and write pages."""\n'
CONTRIBUTING = """Tests
-----

These modules have no test module of their name. They are proved by others.

.. list-table::
   :header-rows: 1

   * - Modules, below ``enterprise_catalog/apps``
     - Tests
   * - ``core/text``,
       ``core/gone``
     - ``tests/security/test_echoes.py``,
       ``tests/security/test_gone.py``
   * - ``core/tested``
     - ``tests/security/test_echoes.py``

Commits
-------

``core/elsewhere`` is not in the table.
"""


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_long_module_is_found_and_tests_and_migrations_are_not(tmp_path):
    lines = "\n" * (code_rules.MAX_MODULE_LINES + 1)
    names = ("long.py", "tests/test_long.py", "migrations/0001_initial.py")
    write(tmp_path, **{f"{APPS}/{name}": lines for name in names})
    assert code_rules.long_modules(tmp_path) == [f"{APPS}/long.py has 401 lines; 400 are the limit"]


def test_folder_of_more_than_twelve_modules_is_found(tmp_path):
    for folder, count in (("full", 12), ("crowded", 13), ("tests", 13), ("migrations", 13)):
        names = ["__init__", *(f"module_{number}" for number in range(count))]
        write(tmp_path, **{f"{APPS}/core/{folder}/{name}.py": GOOD for name in names})
    assert code_rules.crowded_folders(tmp_path) == [f"{APPS}/core/crowded has 13 modules; 12 are the limit"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Delete rows by age (RUN-8).", ""),
        ("Model fields that behave alike on every database: content key, uuid, exact text.", ""),
        ("Delete rows by age.\n\nWhat stays is counted.", ""),
        ("Whose turn a periodic job is: of any number of beats, one does it.", "begins with 'Whose'"),
        ("What of a filter is sent.", "begins with 'What'"),
        ("From nothing, for this thread.", "begins with 'From'"),
        ("So many rows, so many statements.", "begins with 'So'"),
        ("It counts rows.", "begins with 'It'"),
        ("Is every catalog fresh? See `refresh.reports`.", "begins with a question"),
        ("RUN-8: delete rows by age.", "begins with a requirement id"),
        ("(RUN-8)", "begins with too few words"),
        ("Rows.", "begins with too few words"),
        (f"Delete {'very ' * 23}old rows.", "begins with a sentence of 26 words"),
    ],
)
def test_first_sentence(text, fault):
    found = fault_of_first_sentence(text)
    assert found.startswith(fault)
    assert bool(found) == bool(fault)


def test_module_without_a_docstring_is_found(tmp_path):
    texts = {"bare": "", "riddle": '"""What it is."""\n', "good": GOOD}
    write(tmp_path, **{f"{APPS}/core/{name}.py": text for name, text in texts.items()})
    write(tmp_path, **{f"{APPS}/core/{name}.py": "" for name in ("__init__", "apps", "tests/test_bare")})
    assert code_rules.riddling_docstrings(tmp_path) == [
        f"{APPS}/core/bare.py has no docstring",
        f"{APPS}/core/riddle.py: its docstring begins with 'What', not with what the module does",
    ]


def test_docstring_of_nothing_but_ids_is_found_in_tests_too(tmp_path):
    text = """
def test_ids():
    '''AUTH-4, META-3 to META-6, and P1.'''

def test_words():
    '''A token without a signature is refused (AUTH-4).'''

def test_comment():  # AUTH-4
    pass

def helper():
    '''For readers.'''
"""
    write(tmp_path, **{"tests/security/test_tokens.py": text})
    assert code_rules.docstrings_without_words(tmp_path) == [
        "tests/security/test_tokens.py:2: the docstring 'AUTH-4, META-3 to META-6, and P1.' says nothing beside "
        "requirement ids"
    ]


def test_modules_without_tests_are_compared_with_the_table(tmp_path):
    modules = ("core/text", "core/tested", "core/untested", "core/elsewhere", "console/admin/page", "core/models")
    tests = ("core/tests/test_tested", "console/tests/test_admin_page", "core/tests/test_elsewhere")
    write(tmp_path, **{f"{APPS}/{name}.py": GOOD for name in (*modules, *tests)})
    write(tmp_path, **{"CONTRIBUTING.rst": CONTRIBUTING, "tests/security/test_echoes.py": GOOD})
    assert code_rules.untested_modules(tmp_path) == [
        "core/untested has no test module, and CONTRIBUTING.rst does not list it",
        "core/gone does not exist, but CONTRIBUTING.rst lists it",
        "tests/security/test_gone.py does not exist, but CONTRIBUTING.rst lists it",
        "core/tested has a test module, but CONTRIBUTING.rst lists it as one without",
    ]


def test_the_table_of_this_project_is_read():
    modules, tests = code_rules.table_of_tests((code_rules.ROOT / "CONTRIBUTING.rst").read_text())
    assert "access/object_access" in modules
    assert "tests/security/test_tenants.py" in tests
