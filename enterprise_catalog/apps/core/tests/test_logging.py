"""What becomes of lines of libraries, of prints and of what is too long (COM-16)."""

import json
import logging
import threading

import pytest
import structlog
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation, TooManyFieldsSent
from django.http.request import UnreadablePostError
from django.test import RequestFactory
from gunicorn.errors import HaltServer
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.core.observability import logging as lines
from enterprise_catalog.apps.core.observability.process_output import PrintedLines

FORMATTER = lines.LineFormatter()


def line_of(name, message, *arguments, error=None, **extra):
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.ERROR, "", 0, message, arguments, exc_info)
    record.__dict__.update(extra)
    return json.loads(FORMATTER.format(record))


# --- Length and secrets -----------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
)


@given(
    event=st.dictionaries(st.text(max_size=30), json_values, max_size=20),
    factors=st.dictionaries(st.sampled_from(["event", "exception", "a", "b"]), st.integers(1, 100_000), max_size=4),
    letter=st.sampled_from(["x", "é", "\x00", '"', "\ud800", "😀"]),
)
def test_a_line_is_one_short_object_whatever_is_in_it(event, factors, letter):
    event |= {name: letter * factor for name, factor in factors.items()}
    line = lines.to_json(event)
    assert "\n" not in line
    assert len(line.encode()) <= lines.MAX_LINE_BYTES
    assert isinstance(json.loads(line), dict)


def test_very_many_values_leave_what_happened():
    kept = {"event": "much", "level": "info", "logger": "a", "timestamp": "b"}
    line = json.loads(lines.to_json(kept | dict.fromkeys(map(str, range(9999)), 1)))
    assert line == kept | {"is_cut": True}


def test_of_a_long_stack_the_end_is_kept():
    line = json.loads(lines.to_json({"event": "e", "exception": "Traceback" + "x" * 100_000 + "KeyError: 1"}))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("KeyError: 1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redis://user:secret@host:1/0", "redis://***@host:1/0"),
        ("mysql://user:sec@ret@host/db and", "mysql://***@host/db and"),
        ("https://host/path says a@b", "https://host/path says a@b"),
        ("JWT eyJhbGciOi.eyJzdWIi.c2ln.", "JWT ***"),
    ],
)
def test_no_password_of_an_address_and_no_token_is_told(text, told):
    assert line_of("library", text)["event"] == told


def test_an_exceptions_text_names_nobody():
    line = line_of("library", "failed: %r", error := ValueError("no mail to a.b@mail.example"), error=error)
    assert "mail.example" not in json.dumps(line)


# --- Stacks -----------------------------------------------------------------------------------------------------------


def test_an_exception_has_its_stack_in_the_first_line_about_it():
    error = KeyError("bug")
    first, second = line_of("view", "it failed", error=error), line_of("gunicorn.error", "it failed", error=error)
    assert ("exception" in first, "exception" in second, second["error"]) == (True, False, "KeyError")


def test_our_own_line_counts_as_the_first(capfd):
    try:
        raise KeyError("bug")
    except KeyError as caught:
        error = caught
        structlog.get_logger("tests").exception("stream_broken")
    assert "exception" not in line_of("gunicorn.error", "Error handling request", error=error)


def test_two_handlers_of_one_record_tell_the_same():
    record = logging.LogRecord("a", logging.ERROR, "", 0, "it failed", (), (KeyError, KeyError("bug"), None))
    assert "exception" in json.loads(FORMATTER.format(record))
    assert "exception" in json.loads(FORMATTER.format(record))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("django.security.SuspiciousOperation", SuspiciousOperation("PlantedSecret")),
        ("django.security.TooManyFieldsSent", TooManyFieldsSent("PlantedSecret")),
        ("django.request", UnreadablePostError("PlantedSecret")),
        ("gunicorn.error", BrokenPipeError("PlantedSecret")),
    ],
)
def test_what_a_caller_did_wrong_has_no_stack(name, error):
    line = line_of(name, "Error handling request /PlantedPath", error=error)
    assert (line["event"], line["reason"], line["level"]) == ("request_refused", type(error).__name__, "warning")
    assert "Planted" not in json.dumps(line)


@pytest.mark.parametrize("name", ["django.request", "gunicorn.error"])
def test_a_bug_keeps_its_stack_and_loses_the_path(name):
    error = KeyError("bug")
    line = line_of(name, "Error handling request %s %s", "GET", "/PlantedPath?q=1", error=error)
    assert line["exception"].endswith("KeyError: 'bug'")
    if name != "django.request":
        # Django's own line is rewritten by its filter.
        assert "Planted" not in json.dumps(line)


def test_a_host_that_is_none_of_ours_is_named_and_bounded():
    request = RequestFactory().get("/", headers={"Host": 'evil".example\n' + "x" * 5000})
    line = line_of("django.security.DisallowedHost", "Invalid HTTP_HOST header", request=request)
    assert line["host"].startswith("evil?.example?xxx")
    assert len(line["host"]) == 260


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"Referer": "https://user:PlantedPassword@a.example:8/PlantedPath?PlantedQuery"}, "https://a.example:8"),
        ({"Origin": "https://b.example", "Referer": "https://a.example/PlantedPath"}, "https://b.example"),
        ({"Origin": "null"}, "?"),
        ({"Referer": "https://[PlantedPath"}, "?"),
        ({}, None),
    ],
)
def test_a_csrf_failure_says_why_and_where_from(headers, origin):
    reason = f"Referer checking failed - {headers.get('Referer')} does not match any trusted origins."
    request = RequestFactory().post("/PlantedPath/", headers=headers)
    line = line_of("django.security.csrf", "Forbidden (%s): %s", reason, "/PlantedPath/", request=request)
    assert (line["event"], line["reason"]) == ("request_refused", "Referer checking failed")
    assert line.get("origin") == origin
    assert "Planted" not in json.dumps(line)


@pytest.mark.parametrize("name", ["gunicorn.error", "uncaught", "celery.utils.dispatch.signal"])
@pytest.mark.parametrize("error", [ImproperlyConfigured("A is not set."), HaltServer("A is not set.")])
def test_a_refusal_to_start_is_its_reason(name, error):
    line = line_of(name, "Exception in worker process", error=error)
    assert (line["event"], line["reason"], "exception" in line) == ("start_refused", "A is not set.", False)


def test_a_level_that_there_is_not_is_refused_by_name():
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL"):
        lines.logging_config("loud")


def test_a_level_is_taken_in_small_letters():
    assert lines.logging_config("debug")["root"]["level"] == "DEBUG"


# --- Prints -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def printed(monkeypatch):
    """What is written to standard error while a test prints to the stream."""
    written = []
    monkeypatch.setattr(lines, "write_line", lambda line: written.append(json.loads(line)["event"]))
    stream = PrintedLines("stdout", level=logging.INFO, descriptor=1)
    return stream, written


def test_threads_print_beside_one_another(printed):
    stream, written = printed
    stream.write("half of mine")
    other = threading.Thread(target=print, args=("all of another's",), kwargs={"file": stream})
    other.start()
    other.join()
    stream.write(", the rest\n")
    assert written == ["all of another's", "half of mine, the rest"]


def test_who_never_ends_a_line_is_told_in_pieces(printed):
    stream, written = printed
    for _ in range(200):
        stream.write("x" * 1000)
    stream.log_rest()
    assert len(written) == 4


def test_nothing_is_no_line(printed):
    stream, written = printed
    stream.write("\n \n")
    stream.log_rest()
    assert written == []
