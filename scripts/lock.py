"""
Write and check requirement locks: `requirements/*.in` says what is wanted, `*.txt` what exactly is installed.

Writing a lock asks the package index (pip-compile). Checking one reads files only: CI checks every change, and must get
the same result tomorrow. Each lock has a digest of its .in file. Each pin has the hashes of its files. pip installs
nothing else under that name and version, and refuses a lock in which a pin has none.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
# In this order: a later lock is constrained by the earlier ones.
LAYERS = ("base", "mysql", "test", "quality", "bench", "docs", "dev")
# For environments of their own, so their pins may differ from the others.
APART = ("clients",)
DIGEST_PREFIX = "# sha256 of "
HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}(?= |$)")
# A lock must say nothing about the machine that made it.
COMPILE_OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
    "--resolver=backtracking",
)


def digest_of(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()


def stamp_line(source: Path) -> str:
    return f"{DIGEST_PREFIX}{source.name}: {digest_of(source)}"


def requirement_lines(path: Path) -> Iterator[str]:
    """Yield the requirements in a file with their hashes, without comments, options, constraints and other files."""
    for line in path.read_text().replace("\\\n", " ").splitlines():
        text = line.split("#")[0].strip()
        if text and not text.startswith("-"):
            yield text


def pins_in(lock: Path) -> dict[str, str]:
    pins: dict[str, str] = {}
    for line in requirement_lines(lock):
        name, _, version = line.partition("==")
        pins[canonicalize_name(name)] = re.split("[; ]", version)[0]
    return pins


def without_hashes(lock: Path) -> list[str]:
    """Return the requirements without hashes, for which pip would accept any file of an index."""
    return [line.split()[0] for line in requirement_lines(lock) if not HASH.search(line)]


def problems(directory: Path = REQUIREMENTS) -> list[str]:
    """Return every difference between a lock and what its .in file wants."""
    found: list[str] = []
    seen: dict[str, tuple[str, str]] = {}
    for layer in (*LAYERS, *APART):
        source, lock = directory / f"{layer}.in", directory / f"{layer}.txt"
        if not lock.exists():
            found.append(f"{lock.name} is missing")
            continue
        if stamp_line(source) not in lock.read_text().splitlines():
            found.append(f"{lock.name} was not made from the present {source.name}")
        found += [f"{lock.name} has no hash for {requirement}" for requirement in without_hashes(lock)]
        pins = pins_in(lock)
        for text in requirement_lines(source):
            requirement = Requirement(text)
            version = pins.get(canonicalize_name(requirement.name))
            if version is None:
                found.append(f"{lock.name} does not pin {requirement.name}")
            elif not requirement.specifier.contains(version, prereleases=True):
                found.append(
                    f"{lock.name} pins {requirement.name} {version}, {source.name} wants {requirement.specifier}"
                )
        for name, version in pins.items() if layer in LAYERS else ():
            earlier_lock, earlier_version = seen.setdefault(name, (lock.name, version))
            if earlier_version != version:
                found.append(f"{name} is {earlier_version} in {earlier_lock} but {version} in {lock.name}")
    return found


def write_locks(*, upgrade: bool, only: list[str], directory: Path = REQUIREMENTS) -> None:
    environment = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make lock"}
    for layer in (*LAYERS, *APART):
        if only and layer not in only:
            continue
        source, lock = directory / f"{layer}.in", directory / f"{layer}.txt"
        command = [sys.executable, "-m", "piptools", "compile", *COMPILE_OPTIONS, "-o", lock.name, source.name]
        if upgrade:
            command.append("--upgrade")
        print(f"{source.name} -> {lock.name}", flush=True)
        subprocess.run(command, cwd=directory, env=environment, check=True)
        header = f"# Made by `make lock`; do not edit.\n{stamp_line(source)}\n"
        lock.write_text(header + lock.read_text().removeprefix(header))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only say whether the locks match; asks no index")
    parser.add_argument("--upgrade", action="store_true", help="take the newest allowed versions")
    choices = [*LAYERS, *APART, []]
    parser.add_argument("layers", nargs="*", choices=choices, help="write only these (default: all, in order)")
    options = parser.parse_args(arguments)
    if options.check:
        found = problems()
        for problem in found:
            print(f"requirements: {problem}; run `make lock`", file=sys.stderr)
        return 1 if found else 0
    write_locks(upgrade=options.upgrade, only=options.layers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
