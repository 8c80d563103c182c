"""Tests of how times become a ratio."""

from benchmarks.client import Timings
from benchmarks.reads import one_statement, ratio


def turns(*seconds):
    return [Timings((each,) * 3, each * 3, 0) for each in seconds]


def test_the_middle_turn_counts_and_not_the_slowest():
    """The machine was four times slower during the second turn, for both; and for the service alone in the third."""
    ours, theirs = turns(0.003, 0.012, 0.040), turns(0.002, 0.008, 0.002)
    assert ratio(ours, theirs, clients=1) == ratio(ours, theirs, clients=8) == 1.5


def test_a_whole_catalog_is_one_statement_without_its_limit():
    first = "SELECT a FROM b WHERE content_key >= '' ORDER BY content_key LIMIT 100 OFFSET 0"
    head = f"SELECT count UNION ALL {first.replace('100', '0')}"
    statements = ["SELECT user", head, first, first.replace("''", "'edX+A'").replace("OFFSET 0", "OFFSET 1")]
    assert one_statement(statements) == first.replace("100", "20000")
    assert one_statement(statements[:2]) == head
