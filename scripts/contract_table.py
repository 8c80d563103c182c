"""
Find which tests cite which requirement of docs/contract: `python -m scripts.contract_table [ID...]` prints it.

The pages of docs/contract state every requirement once, under its id. `make docs` turns each page into a table of id,
requirement and tests. The table is never committed: it changes with every test, so two branches would always conflict.
`problems`, a check of `make quality`, compares pages and tests:

* every requirement is cited by a test;
* every id that is mentioned anywhere is stated on a page.

A test cites ids in its docstring, comments and parameters: everything between its first decorator and its last line.
The head of its class counts, too, and constants that its decorators lead to, since tables of parameters are there. The
docstring of a module proves nothing. Tests of the sandbox and of the scripts do not count, since they test other
programs.
"""

import ast
import io
import re
import sys
import textwrap
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).resolve().parent.parent
PAGES = Path("docs", "contract")

FAMILIES = (
    "SURF|AUTH|ROLE|PERM|COM|ERR|CRUD|QRY|CONT|META|ENR|CUST|REFR|DIFF|FILT|CM|CQ|RUN|V2|LEG|CLI|SYNC|DISC|HASH|CHG"
    "|ADD|EXP|SEC|LMS|DEP"
)
# `META-3`, `P4`; `META-3 to META-6` and `META-3..6` cite all of the range.
CITED = re.compile(rf"\b(?:({FAMILIES})-|(P))(\d+)\b(?:(?:\.\.| to )(?:\1-|\2)?(\d+)\b)?")
ENTRY = re.compile(r"^((?:[A-Z][A-Z0-9]*-|P)\d+)\n((?:(?: {4}.*)?\n)+)", re.MULTILINE)
ENTRIES = re.compile(rf"(?:{ENTRY.pattern})+", re.MULTILINE)
TABLE_HEAD = """.. list-table::
   :header-rows: 1
   :widths: 14 86

   * - Id
     - Requirement, and the tests that cite it
"""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def cited(text: str) -> Iterator[str]:
    for family, promise, first, last in CITED.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{family}-{number}" if family else f"{promise}{number}"


def requirements(root: Path = ROOT) -> dict[str, str]:
    """Return each id with its requirement in reStructuredText, in the order of the pages."""
    found: dict[str, str] = {}
    for page in sorted((root / PAGES).glob("*.rst")):
        for name, text in ENTRY.findall(page.read_text()):
            if name in found:
                raise ValueError(f"{page.name} states {name} again")
            found[name] = text
    return found


def modules(root: Path = ROOT) -> list[Path]:
    found = [path for top in ("enterprise_catalog", "tests") for path in (root / top).rglob("test_*.py")]
    return sorted(path for path in found if "sandbox" not in path.parts)


def citations(root: Path = ROOT) -> dict[str, list[str]]:
    """Return each id with the tests that cite it, as pytest names them."""
    found: dict[str, list[str]] = {}
    for path in modules(root):
        for test, names in cited_by_tests(Module(path, root)):
            for name in sorted(set(names)):
                found.setdefault(name, []).append(f"{path.relative_to(root)}::{test}")
    return found


def cited_by_tests(module: "Module") -> Iterator[tuple[str, list[str]]]:
    for node in module.tree.body:
        if is_test(node):
            yield node.name, module.cited_in(node, last_line=end_of(node))
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            by_all = module.cited_in(node, last_line=start_of(node.body[0]) - 1)
            for test in node.body:
                if is_test(test):
                    yield f"{node.name}::{test.name}", by_all + module.cited_in(test, last_line=end_of(test))


class Module:
    """The source of a test module, with its comments, which `ast` leaves out."""

    def __init__(self, path: Path, root: Path) -> None:
        source = path.read_text()
        self.root = root
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        self.comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
        self.tree = ast.parse(source)
        self.constants = {
            target.id: node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self.imported = {
            name.asname or name.name: (root / f"{node.module.replace('.', '/')}.py", name.name)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom) and node.module
            for name in node.names
        }

    def cited_in(self, node: Function | ast.ClassDef, *, last_line: int) -> list[str]:
        texts = [
            ast.get_docstring(node) or "",
            *(text for line, text in self.comments.items() if start_of(node) <= line <= last_line),
            *(text for decorator in node.decorator_list for text in self.texts_in(decorator)),
        ]
        return [name for text in texts for name in cited(text)]

    def texts_in(self, node: ast.AST, followed: frozenset[str] = frozenset()) -> Iterator[str]:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
            elif isinstance(part, ast.Name) and part.id not in followed:
                yield from self.texts_of(part.id, followed | {part.id})

    def texts_of(self, name: str, followed: frozenset[str] = frozenset()) -> Iterator[str]:
        if name in self.constants:
            yield from self.texts_in(self.constants[name], followed)
        elif name in self.imported and self.imported[name][0].exists():
            path, name_there = self.imported[name]
            yield from Module(path, self.root).texts_of(name_there)


def is_test(node: ast.stmt) -> TypeGuard[Function]:
    return isinstance(node, Function) and node.name.startswith("test_")


def start_of(node: ast.stmt) -> int:
    return min(it.lineno for it in [node, *getattr(node, "decorator_list", [])])


def end_of(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def mentions(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield path and id of every mention of an id in a module or page."""
    tops = ("enterprise_catalog", "scripts", "tests", "docs")
    paths = [path for top in tops for path in (root / top).rglob("*") if path.suffix in (".py", ".rst")]
    for path in sorted([*paths, root / "README.rst"]):
        if "_build" not in path.parts:
            for name in sorted(set(cited(path.read_text()))):
                yield str(path.relative_to(root)), name


def problems(root: Path = ROOT) -> list[str]:
    stated, tested = requirements(root), citations(root)
    found = [
        f"{path} mentions {name}, which no page of {PAGES} states"
        for path, name in mentions(root)
        if name not in stated
    ]
    return found + [f"{name} is cited by no test" for name in stated if name not in tested]


def with_tests(page: str, *, tested: Mapping[str, list[str]]) -> str:
    """Return a page of docs/contract with each group of entries as a table."""

    def table(entries: re.Match[str]) -> str:
        rows = (
            f"   * - {name}\n     - {textwrap.indent(text, '   ').strip()}\n\n       {proof(tested.get(name, []))}\n"
            for name, text in ENTRY.findall(entries[0])
        )
        return TABLE_HEAD + "".join(rows) + "\n"

    return ENTRIES.sub(table, page)


def proof(tests: list[str]) -> str:
    modules = groupby((test.split("::", 1) for test in tests), key=lambda parts: parts[0])
    lists = [f"* ``{path}``: " + ", ".join(f"``{name}``" for _, name in found) for path, found in modules]
    return "\n       ".join(lists or ["*No test.*"])


def main(names: Iterable[str]) -> int:
    tested = citations()
    for name in list(names) or requirements():
        print(name, *(tested.get(name) or ["(no test)"]), sep="\n    ")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
