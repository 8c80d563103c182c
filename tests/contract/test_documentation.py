"""What the documentation says of names is true: variables, defaults, proving tests, paths, reasons.

Its sentences are for people to judge; names rot unnoticed.
"""

import ast
import re
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from enterprise_catalog.apps.api.legacy import urls as legacy_urls
from enterprise_catalog.apps.api.v1.urls import urlpatterns
from enterprise_catalog.apps.refresh.failure_reasons import Reason
from tests.contract.test_deployment_files import ROOT

README = (ROOT / "README.rst").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.rst").read_text()
API_GUIDE = (ROOT / "docs" / "api.rst").read_text()
OPERATIONS = (ROOT / "docs" / "operations.rst").read_text()

# Modules that read the environment of a deployment, a local run or a container; the tests' own settings are nobody's.
READERS = [
    *(path for path in (ROOT / "enterprise_catalog" / "settings").glob("*.py") if path.name != "test.py"),
    *(ROOT / name for name in ("gunicorn.conf.py", "docker/healthcheck.py", "manage.py")),
]
APPS = "enterprise_catalog.apps"
LAYERS = sorted(
    path.name for path in (ROOT / "enterprise_catalog" / "apps").iterdir() if (path / "__init__.py").exists()
)
NAMED_TEST = re.compile(r"``([\w/]+/test_\w+\.py)::((?:\w+::)?test_\w+)``")
WARNING = re.compile(r"""(?:log\.(?:warning|error|exception|critical)\(\s*|event=|"event": )"([a-z_]+)\"""")


def reads(module: Path) -> Iterator[tuple[str, object]]:
    """Yield each variable that a module reads, with its literal default."""
    for node in ast.walk(ast.parse(module.read_text())):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        if re.fullmatch(r"env(\.\w+)?|(os\.)?environ\.(get|setdefault)", ast.unparse(node.func)):
            defaults = [word.value for word in node.keywords if word.arg == "default"]
            literal = defaults[0] if defaults and isinstance(defaults[0], ast.Constant) else None
            yield str(node.args[0].value), literal.value if literal else None


READ = {name: default for module in READERS for name, default in reads(module)}
TABLE = dict(re.findall(r"^   \* - ``([A-Z][A-Z0-9_]+)``\n     - (.+)$", CONFIGURATION, re.MULTILINE))
PROMISES = (ROOT / "docs" / "promises.rst").read_text()
SECURITY = (ROOT / "docs" / "security.rst").read_text()
NAMED_TESTS = NAMED_TEST.findall(PROMISES + SECURITY)
GLOSSARY = (ROOT / "docs" / "glossary.rst").read_text()
# Words of the code: an entry of a definition list, and the names in the text of its definition.
ENTRIES = dict(re.findall(r"^(\w.*)\n((?:    .+\n)+)", GLOSSARY, re.MULTILINE))
DOTTED = re.compile(r"``([a-z]\w*(?:\.\w+)+)``")


def defined(tree: ast.AST) -> Iterator[str]:
    """Return the tests of a module as pytest names them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{name}" for name in defined(node))


def test_every_variable_that_is_read_is_in_the_table():
    assert READ.keys() - TABLE.keys() == set()
    assert len(READ) > 30


def test_every_variable_in_the_table_is_read():
    assert TABLE.keys() - READ.keys() == set()


@pytest.mark.parametrize("name", [name for name, default in READ.items() if type(default) in (int, float)])
def test_a_number_in_the_table_is_the_default(name):
    assert TABLE[name] == str(READ[name])


def test_the_readme_states_each_promise_as_the_page_of_promises_does():
    stated = re.findall(r"^   \* - (P\d+)\n     - (.+)$", README, re.MULTILINE)
    proven = re.findall(r"^(P\d+)\n-+\n\n((?:.+\n)+)", PROMISES, re.MULTILINE)
    assert stated == [(name, " ".join(sentences.split())) for name, sentences in proven]
    assert [name for name, _ in stated] == [f"P{number}" for number in range(1, 13)]


def test_the_readme_stays_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize(("path", "name"), NAMED_TESTS)
def test_a_test_that_proves_a_promise_exists(path, name):
    assert name in set(defined(ast.parse((ROOT / path).read_text())))


def test_each_promise_names_its_tests():
    sections = re.split(r"^(P\d+)\n-+\n", PROMISES, flags=re.MULTILINE)
    promises = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert list(promises) == [f"P{number}" for number in range(1, 13)]
    assert [name for name, section in promises.items() if not NAMED_TEST.search(section)] == []
    assert len(NAMED_TESTS) == (PROMISES + SECURITY).count("::test_") > 10


@pytest.mark.parametrize("directory", ["faults", "attacks"])
def test_each_fault_and_attack_that_is_tried_is_named(directory):
    tried = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "tests" / directory).glob("test_*.py")
        for name in defined(ast.parse(path.read_text()))
        if name.startswith("test_")
    }
    assert tried - set(NAMED_TESTS) == set()
    assert len(tried) > 15


@pytest.mark.parametrize("route", sorted({str(it.pattern) for it in urlpatterns if "format" not in str(it.pattern)}))
def test_each_path_is_in_the_guide(route):
    assert re.sub(r"<\w+:(\w+)>", r"{\1}", f"/api/v1/{route}") in API_GUIDE


def test_each_path_of_the_legacy_api_is_in_the_guide():
    """By its words: what stands between them has shorter names there."""
    section = API_GUIDE.partition("\nLegacy API\n---")[2].partition("\nHealth\n")[0]
    segments = {segment for it in legacy_urls.urlpatterns for segment in str(it.pattern).split("/")}
    words = {segment for segment in segments if re.fullmatch(r"[a-z_-]+", segment)}
    assert {word for word in words if f"{word}/" not in section} == set()
    assert len(words) > 7


def in_the_apps(pattern: re.Pattern[str]) -> set[str]:
    sources = [
        path
        for part in ("apps", "web_server")
        for path in (ROOT / "enterprise_catalog" / part).rglob("*.py")
        if "tests" not in path.parts
    ]
    return {found for path in sources for found in pattern.findall(path.read_text())}


def test_each_reason_a_run_can_give_is_explained():
    assert set(Reason) - set(re.findall(r"^``([a-z_]+)``$", OPERATIONS, re.MULTILINE)) == set()


def test_each_warning_in_the_log_is_explained():
    logged = in_the_apps(WARNING)
    table = " ".join(re.findall(r"^   \* - (``.+)$", OPERATIONS, re.MULTILINE))
    assert logged == set(re.findall(r"``([a-z_]+)``", table))
    assert len(logged) > 10


def resolved(name: str) -> Any:
    """Return the module, class, function, constant or field of this name below `apps`, or of `settings`."""
    parts = name.split(".")
    if parts[0] == "settings":
        return getattr(settings, parts[1])
    modules = [".".join([APPS, *parts[:length]]) for length in range(len(parts), 0, -1)]
    path = next((path for path in modules if is_module(path)), APPS)
    return reduce(member, parts[path.count(".") - APPS.count(".") :], import_module(path))


def is_module(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except ModuleNotFoundError:  # what stands before the last dot is no package
        return False


def member(owner: Any, name: str) -> Any:
    """Return a member. Fields of a dataclass without a default are not attributes of it."""
    fields = getattr(owner, "__dataclass_fields__", {})
    return fields[name] if name in fields else getattr(owner, name)


@pytest.mark.parametrize("name", sorted(set(DOTTED.findall(" ".join(ENTRIES.values())))))
def test_each_name_in_the_glossary_exists(name):
    assert resolved(name) is not None


@pytest.mark.parametrize(
    "name", ["catalog.models.Nothing", "catalog.nothing.Nothing", "core.fields.HexUUIDField.nothing"]
)
def test_a_name_that_does_not_exist_is_found(name):
    with pytest.raises(AttributeError):
        resolved(name)


@pytest.mark.parametrize("word", sorted(ENTRIES.keys() - {"layer"}))
def test_each_word_of_the_glossary_names_what_bears_it(word):
    assert {name.partition(".")[0] for name in DOTTED.findall(ENTRIES[word])} & set(LAYERS)
    assert len(ENTRIES) > 50
