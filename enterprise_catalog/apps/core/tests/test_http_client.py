"""Calls to other services, over real connections (DISC-1, DISC-7)."""

import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from unittest.mock import patch
from uuid import uuid4

import pytest
import structlog
from django.core.cache import caches

from enterprise_catalog.apps.core.http_client.client import ServiceClient
from enterprise_catalog.apps.core.http_client.errors import (
    ServiceFailed,
    ServiceMalformed,
    ServiceRejected,
    ServiceThrottled,
    ServiceUnavailable,
)
from enterprise_catalog.testing.scripted_server import Asked, Reply, ScriptedServer, Wire

TOKEN = "/oauth2/access_token"
BUSY = Reply(status=503)
GOOD = Reply({"answer": 42})


class LeaseLost(Exception):
    """An error as a worker's heartbeat raises it."""


@pytest.fixture
def peer(settings) -> Iterator[ScriptedServer]:
    """A service at /thing and its provider of tokens, with short timeouts."""
    settings.SERVICE_CONNECT_TIMEOUT_SECONDS = 1
    settings.SERVICE_READ_TIMEOUT_SECONDS = 1
    settings.SERVICE_FIRST_PAUSE_SECONDS = 0.001
    settings.SERVICE_ATTEMPTS = 3
    # Tokens are cached per provider and key, and a port may be used again.
    settings.BACKEND_SERVICE_EDX_OAUTH2_KEY = uuid4().hex
    settings.BACKEND_SERVICE_EDX_OAUTH2_SECRET = "s3cr3t"
    with ScriptedServer() as server:
        settings.OAUTH2_PROVIDER_URL = f"{server.url}/oauth2"
        server.answers["/thing"] = [GOOD]
        yield server


@pytest.fixture
def client(peer) -> ServiceClient:
    return ServiceClient(peer.url, service="peer")


def things(peer: ScriptedServer) -> list[Asked]:
    return [asked for asked in peer.asked if asked.path == "/thing"]


# Tokens


def test_a_token_is_asked_for_with_client_credentials(peer, client, settings):  # DISC-1
    client.get("/thing", {})
    asked = peer.asked[0]
    assert (asked.method, asked.path, asked.headers["Content-Type"]) == (
        "POST",
        TOKEN,
        "application/x-www-form-urlencoded",
    )
    assert asked.body.decode() == (
        f"grant_type=client_credentials&client_id={settings.BACKEND_SERVICE_EDX_OAUTH2_KEY}"
        "&client_secret=s3cr3t&token_type=jwt"
    )


def test_a_token_is_sent_as_jwt(peer, client):  # DISC-1
    client.get("/thing", {})
    assert things(peer)[0].headers["Authorization"] == "JWT token-1"


def test_one_token_serves_all_clients_of_the_process(peer, client):  # DISC-1
    client.get("/thing", {})
    client.post("/thing", {}, {})
    ServiceClient(peer.url, service="peer").get("/thing", {})
    assert (peer.tokens, len(things(peer))) == (1, 3)


def test_a_token_is_in_no_cache_that_others_may_read(peer, client):  # DISC-1
    with patch.object(caches["default"], "set", side_effect=AssertionError("a token may be cached")):
        client.get("/thing", {})
        client.get("/thing", {})
    assert peer.tokens == 1


@pytest.mark.parametrize(("seconds_later", "tokens"), [(3500, 1), (3545, 2)])
def test_a_token_is_renewed_before_it_expires(peer, client, monkeypatch, seconds_later, tokens):  # DISC-1
    client.get("/thing", {})
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + seconds_later)
    client.get("/thing", {})
    assert peer.tokens == tokens


def test_a_token_shorter_than_the_margin_is_used_for_half_its_life(peer, client, monkeypatch):
    peer.answers[TOKEN] = [Reply({"access_token": "short", "expires_in": 30})]
    client.get("/thing", {})
    client.get("/thing", {})
    assert peer.times_asked(TOKEN) == 1
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 16)
    client.get("/thing", {})
    assert peer.times_asked(TOKEN) == 2


def test_401_leads_to_one_more_attempt_with_a_new_token(peer, client):  # DISC-1
    peer.answers["/thing"] = [Reply(status=401), GOOD]
    assert client.get("/thing", {}) == {"answer": 42}
    assert [asked.headers["Authorization"] for asked in things(peer)] == ["JWT token-1", "JWT token-2"]


def test_a_second_401_ends_the_call(peer, client):  # DISC-1
    peer.answers["/thing"] = [Reply(status=401)]
    with pytest.raises(ServiceRejected) as failure:
        client.get("/thing", {})
    assert (failure.value.status, len(things(peer)), peer.tokens) == (401, 2, 2)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404])
def test_refused_credentials_count_as_unauthorised(peer, client, status):
    """A 404 of the provider does not mean that the service has no such endpoint."""
    peer.answers[TOKEN] = [Reply(status=status, headers={"Location": "/thing"})]
    with pytest.raises(ServiceRejected) as failure:
        client.get("/thing", {})
    assert failure.value.status == 401
    assert [asked.path for asked in peer.asked] == [TOKEN]


@pytest.mark.parametrize(
    "answer",
    [
        b"<h1>Log in</h1>",
        [],
        {},
        {"access_token": "a"},
        {"access_token": "a", "expires_in": "soon"},
        {"access_token": None, "expires_in": 3600},
        {"access_token": "", "expires_in": 3600},
        {"access_token": "a\r\nX-Evil: 1", "expires_in": 3600},
        {"access_token": "tökén", "expires_in": 3600},
    ],
)
def test_an_answer_without_a_usable_token_is_malformed(peer, client, answer):
    peer.answers[TOKEN] = [Reply(answer)]
    with pytest.raises(ServiceMalformed):
        client.get("/thing", {})
    assert [asked.path for asked in peer.asked] == [TOKEN]


def test_a_busy_provider_of_tokens_is_retried(peer, client):  # DISC-7
    peer.answers[TOKEN] = [BUSY, Reply({"access_token": "late", "expires_in": 3600})]
    assert client.get("/thing", {}) == {"answer": 42}


def test_a_provider_of_tokens_that_sends_slowly_times_out(peer, client, settings):  # DISC-1, DISC-7
    sent = []

    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"
        for _ in range(150):
            sent.append(b" ")
            yield b" "

    settings.SERVICE_ATTEMPT_SECONDS = 0.1
    settings.SERVICE_ATTEMPTS = 1
    peer.answers[TOKEN] = [Wire(drip(), pause=0.02)]
    with pytest.raises(ServiceUnavailable):
        client.get("/thing", {})
    assert len(sent) < 150
    assert things(peer) == []


def test_the_token_wins_over_a_netrc_file(peer, client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client.get("/thing", {})
    assert things(peer)[0].headers["Authorization"] == "JWT token-1"
    assert "Authorization" not in peer.asked[0].headers


# Limits


def test_a_refused_connection_is_unavailable(peer, settings):  # DISC-7
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{unused.getsockname()[1]}"
    attempts = []
    with pytest.raises(ServiceUnavailable):
        ServiceClient(root, service="peer", on_wait=lambda: attempts.append(None)).get("/thing", {})
    assert len(attempts) >= settings.SERVICE_ATTEMPTS


def test_a_connection_that_cannot_be_made_times_out(peer, settings):  # DISC-7
    settings.SERVICE_CONNECT_TIMEOUT_SECONDS = 0.05
    attempts = []
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        # Nobody accepts, and the backlog holds one connection.
        with socket.create_connection(address), pytest.raises(ServiceUnavailable, match="ConnectTimeout"):
            ServiceClient(f"http://127.0.0.1:{address[1]}", service="peer", on_wait=lambda: attempts.append(1)).get(
                "/thing", {}
            )
    assert len(attempts) >= settings.SERVICE_ATTEMPTS


@pytest.mark.parametrize("root", ["", "ftp://example.org", "http://"])
def test_a_root_that_is_not_a_url_is_not_retried(peer, root):
    attempts = []
    with pytest.raises(ServiceFailed):
        ServiceClient(root, service="peer", on_wait=lambda: attempts.append(None)).get("/thing", {})
    assert len(attempts) == 2  # for the token, and for the call


def test_a_silent_peer_times_out(peer, client, settings):  # DISC-7
    peer.answers["/thing"] = [GOOD, Wire([b"HTTP/1.1 200 OK\r\n"], pause=0.3)]
    client.get("/thing", {})
    # Set only now, because a busy machine may need longer for the token.
    settings.SERVICE_READ_TIMEOUT_SECONDS = 0.05
    with pytest.raises(ServiceUnavailable):
        client.get("/thing", {})
    assert len(things(peer)) == 1 + settings.SERVICE_ATTEMPTS


@pytest.mark.parametrize(
    ("first", "bit"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b" ", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Bit: 1\r\n", id="headers"),
        pytest.param(b"HTTP/1.1 200 ", b"O", id="status line"),
    ],
)
def test_a_peer_that_sends_slowly_times_out(peer, client, settings, first, bit):  # DISC-7
    """Each read gets a byte at once, so that only the attempt's deadline ends it."""
    sent = []

    def drip() -> Iterator[bytes]:
        yield first
        for _ in range(150):
            sent.append(bit)
            yield bit

    client.get("/thing", {})
    # Set only now, because a busy machine may need longer for the token and the first answer.
    settings.SERVICE_ATTEMPT_SECONDS = 0.1
    settings.SERVICE_ATTEMPTS = 1
    peer.answers["/thing"] = [Wire(drip(), pause=0.02)]
    with pytest.raises(ServiceUnavailable):
        client.get("/thing", {})
    assert len(sent) < 150


def test_a_slow_answer_within_the_deadline_is_an_answer(peer, client):
    parts = [b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n", b'{"answ', b'er":42}']
    peer.answers["/thing"] = [Wire(parts, pause=0.05)]
    assert client.get("/thing", {}) == {"answer": 42}


def test_a_body_beyond_the_cap_is_not_read(peer, client, settings):
    settings.SERVICE_MAX_BODY_BYTES = 200_000
    peer.answers["/thing"] = [Reply(b'{"a":"' + b"x" * 400_000 + b'"}')]
    with pytest.raises(ServiceMalformed):
        client.get("/thing", {})
    assert len(things(peer)) == 1


def test_an_answer_as_large_as_the_cap_is_read(peer, client, settings):  # DISC-17
    body = b'{"a":"' + b"x" * 400_000 + b'"}'
    settings.SERVICE_MAX_BODY_BYTES = len(body)
    peer.answers["/thing"] = [Reply(body)]
    assert len(client.get("/thing", {})["a"]) == 400_000


@pytest.mark.parametrize("unit", ["{}", "[]", "1", '""', '{"a":1}'])
def test_more_values_than_allowed_are_not_parsed(peer, client, settings, unit):  # DISC-17
    settings.SERVICE_MAX_BODY_VALUES = 1_000
    peer.answers["/thing"] = [Reply(f'{{"a":[{",".join([unit] * 1_001)}]}}'.encode())]
    with pytest.raises(ServiceMalformed, match="more than 1000 values"):
        client.get("/thing", {})
    peer.answers["/thing"] = [Reply(f'{{"a":[{",".join([unit] * 300)}]}}'.encode())]
    assert len(client.get("/thing", {})["a"]) == 300


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_bytes_are_counted_decoded(peer, client, settings, encoding, pack):  # DISC-17
    settings.SERVICE_MAX_BODY_BYTES = 500
    for size, fits in ((400, True), (600, False)):
        peer.answers["/thing"] = [Reply(pack(b'{"a":"' + b"x" * size + b'"}'), headers={"Content-Encoding": encoding})]
        if fits:
            assert len(client.get("/thing", {})["a"]) == size
        else:
            with pytest.raises(ServiceMalformed, match="more than 500 bytes"):
                client.get("/thing", {})


@pytest.mark.parametrize("encoding", ["gzip, gzip", "zstd", "br", "gzip, identity", "x" * 1_000])
def test_other_encodings_are_not_decoded(peer, client, encoding):  # DISC-17
    peer.answers["/thing"] = [Reply(b"whatever", headers={"Content-Encoding": encoding})]
    with pytest.raises(ServiceMalformed, match="encoded as"):
        client.get("/thing", {})


def test_an_answer_with_a_token_has_its_own_limit(peer, client, settings):  # DISC-1, DISC-17
    peer.answers[TOKEN] = [Reply({"access_token": "t" * settings.SERVICE_MAX_TOKEN_BYTES, "expires_in": 60})]
    with pytest.raises(ServiceMalformed, match="more than"):
        client.get("/thing", {})


def test_a_cut_answer_is_retried(peer, client):  # DISC-7
    cut = Wire([b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"answer"'])
    peer.answers["/thing"] = [cut, GOOD]
    assert client.get("/thing", {}) == {"answer": 42}


def test_a_cut_chunked_answer_is_retried(peer, client):  # DISC-7
    cut = Wire([b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"answer": 4\r\n'])
    peer.answers["/thing"] = [cut, GOOD]
    assert client.get("/thing", {}) == {"answer": 42}


def test_a_dropped_connection_is_retried(peer, client):  # DISC-7
    peer.answers["/thing"] = [Wire([]), GOOD]
    assert client.get("/thing", {}) == {"answer": 42}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(peer, client, status):
    peer.answers["/thing"] = [Reply(status=status, headers={"Location": f"{peer.url}/elsewhere"})]
    with pytest.raises(ServiceRejected) as failure:
        client.get("/thing", {})
    assert failure.value.status == status
    assert peer.times_asked("/elsewhere") == 0


def test_calls_share_a_connection(peer, client):
    client.get("/thing", {})
    connections = peer.connections
    client.get("/thing", {})
    client.post("/thing", {}, {"a": 1})
    assert peer.connections == connections == 1


# Retries


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_errors_that_may_pass_are_retried(peer, client, status):  # DISC-7
    peer.answers["/thing"] = [Reply(b"<h1>no</h1>", status=status), GOOD]
    assert client.get("/thing", {}) == {"answer": 42}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 409, 413, 422, 451])
def test_a_refusal_is_not_retried(peer, client, status):  # DISC-7
    peer.answers["/thing"] = [Reply(status=status)]
    with pytest.raises(ServiceRejected) as failure:
        client.get("/thing", {})
    assert (failure.value.status, len(things(peer))) == (status, 1)


@pytest.mark.parametrize("status", [501, 505, 520])
def test_other_failures_are_not_retried(peer, client, status):  # DISC-7
    peer.answers["/thing"] = [Reply(status=status)]
    with pytest.raises(ServiceFailed):
        client.get("/thing", {})
    assert len(things(peer)) == 1


def test_the_number_of_attempts_is_limited(peer, client, settings):  # DISC-7
    peer.answers["/thing"] = [BUSY]
    with pytest.raises(ServiceUnavailable):
        client.get("/thing", {})
    assert len(things(peer)) == settings.SERVICE_ATTEMPTS


def test_no_attempt_begins_after_the_deadline_of_the_call(peer, client, settings):  # DISC-7
    settings.SERVICE_CALL_SECONDS = 0.05
    peer.answers["/thing"] = [Reply(status=503, headers={"Retry-After": "1"})]
    with pytest.raises(ServiceUnavailable):
        client.get("/thing", {})
    assert len(things(peer)) == 1


def test_retry_after_is_respected(peer, client):  # DISC-7
    peer.answers["/thing"] = [Reply(status=429, headers={"Retry-After": "0.2"}), GOOD]
    client.get("/thing", {})
    first, second = things(peer)
    assert second.at - first.at >= 0.2


def test_retry_after_is_respected_although_the_body_is_cut(peer, client):
    head = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 99\r\n\r\n"
    peer.answers["/thing"] = [Wire([head])]
    with pytest.raises(ServiceThrottled) as failure:
        client.get("/thing", {})
    assert failure.value.retry_after == 3600


def test_a_retry_after_that_is_too_long_ends_the_call(peer, client, settings):
    settings.SERVICE_MAX_WAIT_SECONDS = 0.1
    peer.answers["/thing"] = [Reply(status=429, headers={"Retry-After": "0.3"}), GOOD]
    with pytest.raises(ServiceThrottled) as failure:
        client.get("/thing", {})
    assert (failure.value.retry_after, len(things(peer))) == (0.3, 1)


@pytest.mark.parametrize("value", ["1e300", "inf", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_very_long_retry_after_is_a_day(peer, client, value):
    peer.answers["/thing"] = [Reply(status=429, headers={"Retry-After": value})]
    with pytest.raises(ServiceThrottled) as failure:
        client.get("/thing", {})
    assert failure.value.retry_after == 24 * 3600


def test_retry_after_may_be_a_date(peer, client):
    in_an_hour = format_datetime(datetime.now(tz=UTC) + timedelta(hours=1), usegmt=True)
    peer.answers["/thing"] = [Reply(status=503, headers={"Retry-After": in_an_hour})]
    with pytest.raises(ServiceUnavailable) as failure:
        client.get("/thing", {})
    assert failure.value.retry_after is not None
    assert 3000 < failure.value.retry_after <= 3600
    assert len(things(peer)) == 1


@pytest.mark.parametrize(
    "value",
    ["Wed, 21 Oct 2015 07:28:00 GMT", "Sun Nov  6 08:49:37 1994", "-5", "soon", "nan", "", "0"],
)
def test_an_unusable_or_past_retry_after_does_not_delay(peer, client, value):
    peer.answers["/thing"] = [Reply(status=503, headers={"Retry-After": value}), GOOD]
    assert client.get("/thing", {}) == {"answer": 42}


# Heartbeats


def test_on_wait_is_called_before_every_attempt(peer, client):
    beats = []
    peer.answers["/thing"] = [BUSY, GOOD]
    ServiceClient(peer.url, service="peer", on_wait=lambda: beats.append(len(peer.asked))).get("/thing", {})
    # Before the token, before each of two attempts, and once after the pause between them.
    assert beats == [0, 1, 2, 2]


def test_on_wait_is_called_during_a_pause(peer, settings):
    settings.SERVICE_WAIT_SLICE_SECONDS = 0.02
    beats = []
    peer.answers["/thing"] = [Reply(status=503, headers={"Retry-After": "0.5"}), GOOD]
    ServiceClient(peer.url, service="peer", on_wait=lambda: beats.append(len(things(peer)))).get("/thing", {})
    assert beats.count(1) >= 3


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_what_on_wait_raises_ends_the_call_unchanged(peer, calls):
    """It raises before the token, before the attempt, or in the pause after it."""
    raised = LeaseLost("lost")
    beats = []

    def beat() -> None:
        beats.append(None)
        if len(beats) == calls:
            raise raised

    peer.answers["/thing"] = [BUSY]
    with pytest.raises(LeaseLost) as failure:
        ServiceClient(peer.url, service="peer", on_wait=beat).get("/thing", {})
    assert failure.value is raised
    assert len(peer.asked) == calls - 1


# Answers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please log in</html>",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": 1',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda body: body[:12].decode("ascii", "replace"),
)
def test_success_with_anything_but_an_object_is_malformed(peer, client, body):
    peer.answers["/thing"] = [Reply(body)]
    with pytest.raises(ServiceMalformed):
        client.get("/thing", {})
    assert len(things(peer)) == 1


def test_parameters_and_body_are_sent_encoded(peer, client):
    client.post("/thing", {"keys": "edX+DemoX,数"}, {"title": "数", "number": 10**30})
    asked = things(peer)[0]
    assert asked.query == {"keys": ["edX+DemoX,数"]}
    assert asked.headers["Content-Type"] == "application/json"
    assert json.loads(asked.body) == {"title": "数", "number": 10**30}


def test_requests_name_the_service_but_not_its_host(peer, client):
    client.get("/thing", {})
    sent = [value for asked in peer.asked for name, value in asked.headers.items() if name.lower() == "user-agent"]
    assert [value.split()[-1] for value in sent] == ["enterprise-catalog"] * 2


def test_the_request_id_is_sent(peer, client):  # COM-20
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        client.get("/thing", {})
    assert things(peer)[0].headers["X-Request-ID"] == "abc"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_errors_and_logs_hold_no_secrets(peer, client, status):
    peer.answers["/thing"] = [Reply({"echo": "token-1 s3cr3t"}, status=status)]
    with structlog.testing.capture_logs() as logs, pytest.raises((ServiceRejected, ServiceUnavailable)) as failure:
        client.get("/thing", {"key": "value"})
    text = f"{failure.value} {failure.value.__cause__} {logs}"
    assert "token-1" not in text
    assert "s3cr3t" not in text
