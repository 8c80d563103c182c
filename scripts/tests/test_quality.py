"""Tests of the runner of checks: a failing check is seen."""

from scripts import quality


def test_failing_check_shows_its_output(capsys):
    assert not quality.run_check("broken", ["python", "-c", "print('what is wrong'); raise SystemExit(1)"])
    assert "what is wrong" in capsys.readouterr().out
