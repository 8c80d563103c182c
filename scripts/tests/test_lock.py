"""The check of the locks sees every way in which a lock can be out of step, without asking an index."""

from pathlib import Path

import pytest

from scripts import lock


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A set of locks in step."""
    for layer in (*lock.LAYERS, *lock.APART):
        (tmp_path / f"{layer}.in").write_text("# nothing\n")
        write_lock(tmp_path, layer, "")
    (tmp_path / "base.in").write_text("Django>=5.2,<5.3  # the framework\n")
    write_lock(tmp_path, "base", "django==5.2.1\n    # via -r base.in\n")
    assert lock.problems(tmp_path) == []
    return tmp_path


def write_lock(directory: Path, layer: str, pins: str) -> None:
    (directory / f"{layer}.txt").write_text(f"{lock.stamp_line(directory / f'{layer}.in')}\n{pins}")


def test_changed_source_is_seen(requirements):
    (requirements / "base.in").write_text("Django>=5.2,<5.3\ncelery\n")
    assert "base.txt was not made from the present base.in" in lock.problems(requirements)
    assert "base.txt does not pin celery" in lock.problems(requirements)


def test_pin_outside_the_wanted_range_is_seen(requirements):
    write_lock(requirements, "base", "django==4.2.1\n")
    assert lock.problems(requirements) == ["base.txt pins Django 4.2.1, base.in wants <5.3,>=5.2"]


def test_two_versions_of_one_package_are_seen(requirements):
    write_lock(requirements, "test", "Django==5.2.2\n")
    assert lock.problems(requirements) == ["django is 5.2.1 in base.txt but 5.2.2 in test.txt"]


def test_an_environment_of_its_own_may_pin_another_version(requirements):
    write_lock(requirements, "clients", "Django==4.2.1\n")
    assert lock.problems(requirements) == []


def test_missing_lock_is_seen(requirements):
    (requirements / "docs.txt").unlink()
    assert lock.problems(requirements) == ["docs.txt is missing"]


def test_locks_name_no_index_and_no_path():
    for text in (path.read_text() for path in lock.REQUIREMENTS.glob("*.txt")):
        assert "://" not in text
        assert "--" not in text
