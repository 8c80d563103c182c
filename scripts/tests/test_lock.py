"""Tests of the check of locks: every difference between lock and .in file is found without an index."""

from pathlib import Path

import pytest

from scripts import lock

HASH = f"--hash=sha256:{'0' * 64}"


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A set of locks in step."""
    for layer in (*lock.LAYERS, *lock.APART):
        (tmp_path / f"{layer}.in").write_text("# nothing\n")
        write_lock(tmp_path, layer, "")
    (tmp_path / "base.in").write_text("Django>=5.2,<5.3  # the framework\n")
    write_lock(tmp_path, "base", f"django==5.2.1 \\\n    {HASH} \\\n    {HASH}\n    # via -r base.in\n")
    assert lock.problems(tmp_path) == []
    return tmp_path


def write_lock(directory: Path, layer: str, pins: str) -> None:
    (directory / f"{layer}.txt").write_text(f"{lock.stamp_line(directory / f'{layer}.in')}\n{pins}")


def test_changed_source_is_seen(requirements):
    (requirements / "base.in").write_text("Django>=5.2,<5.3\ncelery\n")
    assert "base.txt was not made from the present base.in" in lock.problems(requirements)
    assert "base.txt does not pin celery" in lock.problems(requirements)


def test_pin_outside_the_wanted_range_is_seen(requirements):
    write_lock(requirements, "base", f"django==4.2.1 {HASH}\n")
    assert lock.problems(requirements) == ["base.txt pins Django 4.2.1, base.in wants <5.3,>=5.2"]


def test_two_versions_of_one_package_are_seen(requirements):
    write_lock(requirements, "test", f"Django==5.2.2 {HASH}\n")
    assert lock.problems(requirements) == ["django is 5.2.1 in base.txt but 5.2.2 in test.txt"]


def test_an_environment_of_its_own_may_pin_another_version(requirements):
    write_lock(requirements, "clients", f"Django==4.2.1 {HASH}\n")
    assert lock.problems(requirements) == []


@pytest.mark.parametrize("layer", ["base", "clients"])
@pytest.mark.parametrize("rest", ["", " --hash=sha256:", " --hash=md5:0", " # " + HASH])
def test_pin_without_a_hash_is_seen(requirements, layer, rest):
    other = f"celery==5.7.0 \\\n    {HASH}\n"
    write_lock(requirements, layer, f"django==5.2.1{rest}\n{other}")
    assert lock.problems(requirements) == [f"{layer}.txt has no hash for django==5.2.1"]


def test_requirement_by_address_is_no_pin(requirements):
    write_lock(requirements, "clients", "thing @ https://example.org/thing.zip\n")
    assert lock.problems(requirements) == ["clients.txt has no hash for thing"]


def test_missing_lock_is_seen(requirements):
    (requirements / "docs.txt").unlink()
    assert lock.problems(requirements) == ["docs.txt is missing"]


def test_locks_name_no_index_and_no_path():
    for text in (path.read_text() for path in lock.REQUIREMENTS.glob("*.txt")):
        assert "://" not in text
        assert "--" not in text.replace(" --hash=sha256:", "")
