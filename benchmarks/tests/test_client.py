"""Tests of the load client: it loses no answer, and takes no partial answer for a whole one."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import client
from benchmarks.client import Timings, Unanswered


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        kind, _, text = self.path.strip("/").partition("/")
        if kind == "gone":
            self.close_connection = True
            return
        self.send_response(404 if kind == "missing" else 304 if kind == "held" else 200)
        if kind == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (text[:3], text[3:]):
                self.wfile.write(f"{len(piece):x}\r\n{piece}\r\n".encode())
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        elif kind == "held":
            self.end_headers()
        else:
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def port():
    server = ThreadingHTTPServer((client.HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def question(path):
    return client.request(path, token="t")


@pytest.mark.parametrize("kind", ["plain", "chunked"])
def test_a_body_arrives_whole(port, kind):
    answer = client.ask(port, question(f"/{kind}/abcdefgh"))
    assert (answer.status, answer.body) == (200, b"abcdefgh")


@pytest.mark.parametrize("clients", [1, 8])
@pytest.mark.parametrize("path", ["/plain/abc", "/chunked/abcdef", "/held"])
def test_a_burst_asks_as_often_as_it_was_told(port, clients, path):
    timings = client.burst(port, [question(path)], clients=clients, count=50)
    assert len(timings.seconds) == 50
    assert timings.rate == pytest.approx(50 / timings.elapsed)


def test_each_connection_asks_its_own_questions_in_order(port):
    bodies = [[], []]
    ways = [iter([question(f"/plain/{name}{number}") for number in range(20)]) for name in "ab"]
    client.drive(port, ways, take=lambda number, answer: bodies[number].append(answer.body.decode()))
    assert bodies == [[f"{name}{number}" for number in range(20)] for name in "ab"]


@pytest.mark.parametrize("path", ["/missing", "/gone"])
def test_what_was_not_answered_is_no_measurement(port, path):
    with pytest.raises(Unanswered):
        client.burst(port, [question("/plain/abc"), question(path)], clients=1, count=2)


def test_percentiles():
    timings = Timings(tuple(number / 100 for number in range(100)), elapsed=1, received=0)
    assert [timings.percentile(share) for share in (0, 0.5, 0.99, 1)] == [0, 0.5, 0.99, 0.99]
