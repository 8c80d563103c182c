"""Answers to slow clients arrive complete, and a process keeps a limited number of bytes (SEC-1)."""

import socket
from types import SimpleNamespace

import pytest

from enterprise_catalog.web_server.buffers import DiskBudget, Outbox, close_file


@pytest.fixture
def ends():
    here, there = socket.socketpair()
    here.setblocking(False)
    with here, there:
        yield here, there


def test_a_client_gets_all_bytes_in_their_order(ends):
    here, there = ends
    outbox = Outbox(DiskBudget(10_000_000), memory_bytes=1000)
    answer = bytes(range(256)) * 10_000
    for start in range(0, len(answer), 100_000):
        assert outbox.append(answer[start : start + 100_000])
    received = b""
    while not outbox.is_empty:
        assert outbox.send(here)
        received += there.recv(50_000)
    here.close()
    while more := there.recv(1_000_000):
        received += more
    assert received == answer


def test_sending_never_waits_for_the_client(ends):
    here, _ = ends
    outbox = Outbox(DiskBudget(10_000_000), memory_bytes=1000)
    outbox.append(b"x" * 5_000_000)
    assert outbox.send(here)
    assert not outbox.send(here)
    assert not outbox.is_empty


def test_a_fast_client_does_not_block_others():
    outbox, taken = Outbox(DiskBudget(10_000_000), memory_bytes=1000), []
    outbox.append(b"x" * 5_000_000)
    insatiable = SimpleNamespace(send=lambda data: taken.append(len(data)) or len(data))
    assert outbox.send(insatiable)
    assert 0 < sum(taken) < 2_000_000
    while not outbox.is_empty:
        assert outbox.send(insatiable)
    assert sum(taken) == 5_000_000


def test_the_disk_budget_limits_large_answers_only():
    budget = DiskBudget(5000)
    slow, other, small = (Outbox(budget, memory_bytes=1000) for _ in range(3))
    assert slow.append(b"x" * 6000)
    assert not other.append(b"x" * 1001)
    assert other.is_empty
    assert small.append(b"x" * 1000)
    slow.clear()
    assert other.append(b"x" * 1001)


def test_a_file_can_be_closed_on_a_full_disk():
    full = open("/dev/full", "wb")  # noqa: SIM115
    full.write(b"x")
    close_file(full)
    assert full.closed


def test_a_client_that_has_disconnected_is_an_error(ends):
    here, there = ends
    outbox = Outbox(DiskBudget(10_000), memory_bytes=1000)
    outbox.append(b"x")
    there.close()
    with pytest.raises(OSError, match="pipe"):
        outbox.send(here)
