"""Check the sizes, docstrings and tests of modules: rules of CONTRIBUTING.rst that no linter knows.

Each check returns its problems as lines of text. `python -m scripts.code_rules [PATH...]` prints those about these
paths, or all.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.contract_table import CITED

ROOT = Path(__file__).resolve().parent.parent
APPS = Path("enterprise_catalog", "apps")
# Readers should see a whole module in one sitting, and a whole folder at one glance.
MAX_MODULE_LINES = 400
MAX_MODULES_IN_FOLDER = 12
MAX_WORDS_IN_FIRST_SENTENCE = 25

# A sentence that begins so does not say what a module does: it asks, points at something, or has no subject.
_RIDDLING_START = re.compile(
    r"(what|which|whose|how|who|whom|whether|where|when|why|so|much|nothing|it|they|there|this|that|these|those|of|from"
    r"|to|in|on|at|by|for|with|without|between|before|after|behind|beside|besides|through|under|until|upon|as|into"
    r"|over|above|below|about|against|among|across|beyond|during)\b",
    re.IGNORECASE,
)
_FEWEST_WORDS_BESIDE_IDS = 2
# Django asks for these files, and their names say all.
_NAMED_BY_DJANGO = frozenset({"__init__", "apps", "urls"})
_TABLE = "These modules have no test module of their name."
_ROW = re.compile(r"^   \* - ")


def problems(root: Path = ROOT) -> list[str]:
    checks = (long_modules, crowded_folders, riddling_docstrings, docstrings_without_words, untested_modules)
    return [problem for check in checks for problem in check(root)]


def long_modules(root: Path = ROOT) -> list[str]:
    found = []
    for path in production_modules(root):
        lines = len((root / path).read_text().splitlines())
        if lines > MAX_MODULE_LINES:
            found.append(f"{path} has {lines} lines; {MAX_MODULE_LINES} are the limit")
    return found


def crowded_folders(root: Path = ROOT) -> list[str]:
    paths = [path for path in production_modules(root) if path.is_relative_to(APPS) and path.stem != "__init__"]
    modules = Counter(path.parent for path in paths)
    return [
        f"{folder} has {count} modules; {MAX_MODULES_IN_FOLDER} are the limit"
        for folder, count in modules.items()
        if count > MAX_MODULES_IN_FOLDER
    ]


def riddling_docstrings(root: Path = ROOT) -> list[str]:
    """Modules whose docstring is missing, or does not begin with what the module does."""
    found = []
    for path in production_modules(root):
        text = ast.get_docstring(ast.parse((root / path).read_text()))
        if text is None:
            if path.stem not in _NAMED_BY_DJANGO and "formats" not in path.parts:
                found.append(f"{path} has no docstring")
        elif fault := fault_of_first_sentence(text):
            found.append(f"{path}: its docstring {fault}")
    return found


def fault_of_first_sentence(text: str) -> str:
    """What is wrong with the first sentence of a docstring; empty if it can say what the module does."""
    sentence = re.split(r"(?<=[.!?])\s|\n\n", text.strip(), maxsplit=1)[0]
    words = sentence.split()
    if CITED.match(sentence):
        return "begins with a requirement id"
    if len(words_beside_ids(sentence)) < _FEWEST_WORDS_BESIDE_IDS:
        return "begins with too few words"
    if _RIDDLING_START.match(sentence):
        return f"begins with {words[0]!r}, not with what the module does"
    if sentence.endswith("?"):
        return "begins with a question"
    if len(words) > MAX_WORDS_IN_FIRST_SENTENCE:
        return f"begins with a sentence of {len(words)} words; {MAX_WORDS_IN_FIRST_SENTENCE} are the limit"
    return ""


def docstrings_without_words(root: Path = ROOT) -> list[str]:
    """Docstrings of modules, classes, functions and tests that cite requirements and say nothing about them."""
    found = []
    for path in python_files(root):
        for node in ast.walk(ast.parse((root / path).read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if CITED.search(text) and len(words_beside_ids(text)) < _FEWEST_WORDS_BESIDE_IDS:
                    line = getattr(node, "lineno", 1)
                    found.append(f"{path}:{line}: the docstring {text!r} says nothing beside requirement ids")
    return found


def words_beside_ids(text: str) -> list[str]:
    return re.findall(r"[^\W\d_][\w'-]*", CITED.sub("", text))


def untested_modules(root: Path = ROOT) -> list[str]:
    """Modules of apps without a test module of their name that CONTRIBUTING.rst does not list, and wrong entries."""
    modules, tests = table_of_tests((root / "CONTRIBUTING.rst").read_text())
    named = {str(path.relative_to(APPS).with_suffix("")): path for path in production_modules(root) if in_apps(path)}
    with_test = {name for name, path in named.items() if (root / test_module_of(path)).exists()}
    missing = {test for test in tests if not (root / test).exists()}
    wrong = (
        (named.keys() - with_test - modules, "has no test module, and CONTRIBUTING.rst does not list it"),
        (modules - named.keys() | missing, "does not exist, but CONTRIBUTING.rst lists it"),
        (modules & with_test, "has a test module, but CONTRIBUTING.rst lists it as one without"),
    )
    return [f"{name} {what}" for names, what in wrong for name in sorted(names)]


def table_of_tests(page: str) -> tuple[set[str], set[str]]:
    """The modules and the test files in the table of modules without a test module of their name."""
    _, _, rest = page.partition(_TABLE)
    table: list[str] = []
    for line in rest.splitlines():
        if table and line and not line.startswith(" "):
            break
        if table or _ROW.match(line):
            table.append(line)
    names = set(re.findall(r"``([\w/.]+)``", "\n".join(table[2:])))
    tests = {name for name in names if name.endswith(".py")}
    return names - tests, tests


def in_apps(path: Path) -> bool:
    return path.is_relative_to(APPS) and path.stem not in _NAMED_BY_DJANGO | {"models"}


def test_module_of(path: Path) -> Path:
    folder = path.relative_to(APPS).parent
    prefix = {"console/admin": "admin_", "api/legacy": "legacy_"}.get(str(folder), "")
    return APPS / folder.parts[0] / "tests" / f"test_{prefix}{path.stem}.py"


def production_modules(root: Path) -> Iterator[Path]:
    for path in python_files(root, "enterprise_catalog", "benchmarks", "scripts"):
        if not {"migrations", "tests"} & set(path.parts):
            yield path


def python_files(root: Path, *tops: str) -> Iterator[Path]:
    """Paths below `root`, in order."""
    for top in tops or ("enterprise_catalog", "benchmarks", "scripts", "tests"):
        yield from sorted(path.relative_to(root) for path in (root / top).rglob("*.py"))


def main(paths: Iterable[str]) -> int:
    wanted = tuple(paths)
    found = [line for line in problems() if not wanted or any(path in line for path in wanted)]
    print("".join(f"{line}\n" for line in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
