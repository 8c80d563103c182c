"""Request ids, and the log lines of a request (COM-20)."""

import json
import logging

import pytest
import structlog
from django.db import OperationalError, connection
from django.test import Client

from enterprise_catalog.apps.core.observability.logging import LineFormatter
from enterprise_catalog.testing.callers import client_for, token_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def log_lines():
    """The lines that the configured formatter would write, as objects."""
    formatter = LineFormatter()
    lines = []

    class Collector(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(formatter.format(record)))

    collector = Collector()
    logging.getLogger().addHandler(collector)
    yield lines
    logging.getLogger().removeHandler(collector)


def test_a_request_id_is_echoed():  # COM-20
    assert Client().get("/health/", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 201, "é"])
def test_an_unusable_or_missing_request_id_is_replaced(given):  # COM-20
    made = Client().get("/health/", headers={"X-Request-ID": given})["X-Request-ID"]
    assert len(made) == 32


def test_errors_carry_a_request_id():  # COM-20
    assert Client().get("/api/v1/nothing/")["X-Request-ID"]


def test_a_request_leaves_one_line(log_lines):
    client_for("alice").get("/api/v1/enterprise-catalogs/", headers={"X-Request-ID": "r1"})
    line = next(line for line in log_lines if line["event"] == "request")
    assert (line["method"], line["route"], line["status"], line["request_id"]) == ("GET", "v1:catalogs", 403, "r1")
    assert line["user_id"]
    assert line["ms"] >= 0


@pytest.mark.parametrize(("raised", "status"), [(OperationalError(2006, "gone"), 503), (KeyError("bug"), 500)])
def test_no_line_holds_the_path(log_lines, raised, status):  # ERR-8
    def broken(execute, sql, *arguments):
        if "catalog_contentmetadata" in sql:
            raise raised
        return execute(sql, *arguments)

    client = client_for("alice")
    client.raise_request_exception = False
    with connection.execute_wrapper(broken):
        assert client.get("/api/v1/content-metadata/edX+Secret/").status_code == status
    assert "edX+Secret" not in json.dumps([{**line, "exception": None} for line in log_lines])
    assert sum(type(raised).__name__ in line.get("exception", "") for line in log_lines) == 1


def test_a_refusal_leaves_no_stack(log_lines, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("sam", is_staff=True))
    assert client.get("/admin/core/user/").status_code == 403
    assert [line["event"] for line in log_lines] == ["request"]


class Silent:
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    "value",
    [{(1, 2): 3}, Silent(), {"a": "\ud800"}, 2**80, float("nan"), b"\xff"],
    ids=lambda value: type(value).__name__,
)
def test_a_line_is_never_lost(log_lines, value):
    circular = [value]
    circular.append(circular)
    for odd in (value, circular):
        structlog.get_logger("tests").info("odd", value=odd)
    assert [line["event"] for line in log_lines] == ["odd", "odd"]


def test_a_line_of_the_admin_holds_the_user_id(log_lines, admin_client, admin_user):
    admin_client.get("/admin/")
    line = next(line for line in log_lines if line["event"] == "request")
    assert (line["route"], line["user_id"]) == ("admin:index", admin_user.pk)


def test_an_exception_is_in_its_line(log_lines):
    try:
        raise ValueError("no such thing")
    except ValueError:
        structlog.get_logger("enterprise_catalog.things").exception("thing_failed", thing=3)
    (line,) = log_lines
    assert (line["event"], line["thing"], line["level"]) == ("thing_failed", 3, "error")
    assert (line["logger"], "timestamp" in line) == ("enterprise_catalog.things", True)
    assert line["exception"].endswith("ValueError: no such thing")


def test_libraries_write_the_same_kind_of_line(log_lines):
    structlog.contextvars.bind_contextvars(request_id="r1")
    logging.getLogger("library").warning("%s is full", "the disk")
    (line,) = log_lines
    assert (line["event"], line["level"], line["logger"]) == ("the disk is full", "warning", "library")
    assert (line["request_id"], "timestamp" in line) == ("r1", True)


def test_no_line_holds_a_token_a_name_or_a_key(log_lines):
    client_for("alice").get("/api/v1/enterprise-catalogs/x/contains_content_items/?course_run_ids=edX+DemoX")
    client_for("alice", exp=1).get("/api/v1/enterprise-catalogs/")
    text = json.dumps(log_lines)
    assert "request" in text
    for secret in ("alice", "DemoX", token_for("alice")[:20]):
        assert secret not in text


def test_a_token_with_the_name_of_a_local_account_is_not_that_account(log_lines, django_user_model):  # AUTH-5
    olga = django_user_model.objects.create_user("olga", password="a long one")
    client_for("olga").get("/api/v1/enterprise-catalogs/")
    (line,) = [line for line in log_lines if line["event"] == "request"]
    assert (line["user_id"], line["namesake_id"]) == (None, olga.pk)


def test_the_next_request_does_not_inherit_the_user(log_lines):
    client_for("alice").get("/api/v1/enterprise-catalogs/")
    Client().get("/health/")
    assert "user_id" not in [line for line in log_lines if line["event"] == "request"][-1]
