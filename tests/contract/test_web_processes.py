"""How the web processes share their work (P9)."""

import socket
from contextlib import ExitStack

import psutil

from tests.contract.test_metrics_port import has_booted, wait_for, web

THREADS = 4
HALF_A_REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
THE_REST = b"Connection: close\r\n\r\n"


def held_connections(process: psutil.Process) -> int:
    return sum(connection.status == psutil.CONN_ESTABLISHED for connection in process.net_connections())


def test_no_process_takes_more_connections_than_it_has_threads_for(tmp_path):
    with web(tmp_path, WEB_CONCURRENCY="2") as (server, url), ExitStack() as ends:
        wait_for(lambda: has_booted(tmp_path, 2), server, tmp_path)
        workers = psutil.Process(server.pid).children()
        address = "127.0.0.1", int(url.rpartition(":")[2])
        for taken in range(1, 2 * THREADS + 1):
            slow = ends.enter_context(socket.create_connection(address, timeout=60))
            slow.sendall(HALF_A_REQUEST)
            wait_for(lambda: sum(map(held_connections, workers)) == taken, server, tmp_path)  # noqa: B023
        assert [held_connections(worker) for worker in workers] == [THREADS, THREADS]
        # And again, as soon as there is a thread.
        waiting = ends.enter_context(socket.create_connection(address, timeout=60))
        waiting.sendall(HALF_A_REQUEST + THE_REST)
        slow.sendall(THE_REST)
        assert waiting.recv(12) == b"HTTP/1.1 200"
