"""Tests of the installer of packages: what is missing is named with advice, and nothing else is touched."""

import pytest

from scripts import debian


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    need = debian.Need(("no-such-package",), "test this message", lambda: False)
    monkeypatch.setitem(debian.NEEDS, "missing", need)


@pytest.mark.usefixtures("missing")
def test_user_without_rights_is_told_the_package(monkeypatch):
    monkeypatch.setattr(debian, "_privilege", lambda: None)
    with pytest.raises(debian.Missing, match="needed to test this message: no-such-package") as raised:
        debian.ensure(["missing"])
    assert "sudo apt-get install no-such-package" in str(raised.value)


@pytest.mark.usefixtures("missing")
def test_machine_without_apt_is_told_the_package(monkeypatch):
    monkeypatch.setattr(debian, "SEARCH_PATH", "")
    with pytest.raises(debian.Missing, match="no-such-package"):
        debian.ensure(["missing"])


def test_nothing_is_installed_when_all_is_there(monkeypatch):
    monkeypatch.setattr(debian, "_apt_install", lambda *_: pytest.fail("apt-get was called"))
    debian.ensure(["venv"])


@pytest.mark.parametrize("existing", ["#!/bin/sh\nexit 101\n", None])
def test_policy_file_is_as_before_afterwards(monkeypatch, tmp_path, existing):
    policy = tmp_path / "policy-rc.d"
    if existing:
        policy.write_text(existing)
    monkeypatch.setattr(debian, "POLICY_FILE", policy)
    with debian._service_starts_forbidden([]):
        assert "exit 101" in policy.read_text()
    assert (policy.read_text() if policy.exists() else None) == existing
