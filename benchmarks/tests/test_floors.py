"""Tests of the floors: they answer what the service answered."""

import json

import pytest

from benchmarks.floors import split_answer

ITEMS = [{"key": "edX+A", "text": 'a "]" and a ,'}, {"key": "edX+B", "runs": [{"key": "x"}, {}]}, {"key": "Ä+€"}]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_answer_is_taken_apart_without_loss(count):
    body = json.dumps({"count": 3, "results": ITEMS[:count], "uuid": "x"}, ensure_ascii=False, separators=(",", ":"))
    before, items, after = split_answer(body.encode())
    assert [json.loads(item) for item in items] == ITEMS[:count]
    assert before + b",".join(items) + after == body.encode()
