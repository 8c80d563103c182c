"""The checks that are ours can fail."""

from scripts import quality


def test_long_module_is_found_and_tests_and_migrations_are_not(tmp_path):
    for name in ("apps/long.py", "apps/tests/test_long.py", "apps/migrations/0001_initial.py"):
        path = tmp_path / "enterprise_catalog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n" * (quality.MAX_MODULE_LINES + 1))
    assert quality.long_modules(tmp_path) == ["enterprise_catalog/apps/long.py has 401 lines; 400 are the limit"]


def test_failing_check_shows_its_output(capsys):
    assert not quality.run_check("broken", ["python", "-c", "print('what is wrong'); raise SystemExit(1)"])
    assert "what is wrong" in capsys.readouterr().out
