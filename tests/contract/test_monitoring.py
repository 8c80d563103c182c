"""
Rules, dashboard and pages for Prometheus and Grafana agree with the service (ADD-7, P3).

Rules are valid and fire when they should, and every metric they name exists.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from django.test import Client
from django.urls import get_resolver
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.scheduling.tick import tick
from enterprise_catalog.sandbox.sandbox import Sandbox
from scripts import debian
from tests.contract.test_deployment_files import COMPOSE, ROOT
from tests.contract.test_documentation import OPERATIONS
from tests.faults.scene import published_catalog

MONITORING = ROOT / "monitoring"
PREFIX = "enterprise_catalog_"
ANCHOR = "docs/operations.rst#"
FIELDS = ("It means", "Look", "Do", "Verify")

SELECTOR = re.compile(r"\b(enterprise_catalog[_:][\w:]+|up\b)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)")


def groups(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((MONITORING / name).read_text())["groups"]
    return found


ALERTS = [rule for group in groups("alerts.yml") for rule in group["rules"]]
RECORDED = {rule["record"]: rule["expr"] for group in groups("rules.yml") for rule in group["rules"]}
TESTS = yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text())
SCRAPED = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
DRAWN = [target["expr"] for panel in PANELS for target in panel["targets"]]
CHOICES = [it["definition"] for it in DASHBOARD["templating"]["list"] if it["type"] == "query"]
EXPRESSIONS = [*(rule["expr"] for rule in ALERTS), *RECORDED.values(), *DRAWN, *CHOICES]
SECTIONS = re.split(r"^(\S.*)\n[~=-]{4,}\n", OPERATIONS, flags=re.MULTILINE)
RUNBOOK = dict(zip(SECTIONS[1::2], SECTIONS[2::2], strict=True))
METRICS_TABLE = re.findall(
    r"^   \* - ``(\w+)``\n     - (\w+)\n     - (.+)\n     - .+\n(?:       .+\n)*     - (.+)$",
    (ROOT / "docs" / "monitoring.rst").read_text(),
    re.MULTILINE,
)


class Told(NamedTuple):
    """An exposed metric: the type of its family, and the values of each label."""

    family: str
    kind: str
    labels: dict[str, set[str]]


@pytest.fixture
def told(client: Client, sandbox: Sandbox, settings: Settings, transactional_db: None) -> dict[str, Told]:
    """Return the metrics after a refresh, a request, a tick and wrong passwords, by name."""
    settings.METRICS_TOKEN = "figures"
    published_catalog(sandbox)
    tick()
    client.get("/api/v1/enterprise-catalogs/")
    for _ in range(settings.SIGN_IN_FAILURES + 1):
        client.post("/admin/login/", {"username": "olga", "password": "a guess"})
    answer = client.get("/metrics", headers={"Authorization": "Bearer figures"})
    assert answer.status_code == 200
    found: dict[str, Told] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            # Those are of this process, and of no use where many processes add up.
            if sample.name.startswith(PREFIX) and not sample.name.endswith("_created"):
                metric = found.setdefault(sample.name, Told(family.name, family.type, {}))
                for label, value in sample.labels.items():
                    metric.labels.setdefault(label, set()).add(value)
    return found


def promtool(*arguments: str | Path) -> None:
    debian.ensure(["prometheus"])
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def metrics_of(expression: str) -> set[str]:
    """Return the scraped metrics of an expression, through recording rules."""
    named = {name for name, _ in SELECTOR.findall(expression)}
    recorded = named & RECORDED.keys()
    return (named - recorded).union(*(metrics_of(RECORDED[name]) for name in recorded))


def cases() -> Iterator[tuple[set[str], set[tuple[str, ...]]]]:
    """Yield for each time of each test: the metrics, and the alerts that fire, with severities."""
    for test in TESTS:
        given = {re.split(r"[{ ]", series["series"])[0] for series in test["input_series"]}
        for moment in test.get("promql_expr_test", ()):
            firing = [
                {label: value for label, _, value in MATCHER.findall(it["labels"])} for it in moment["exp_samples"]
            ]
            yield given, {(labels["alertname"], labels["severity"]) for labels in firing}


def test_the_example_and_its_rules_are_valid():
    promtool("check", "config", MONITORING / "prometheus.yml")


def test_alerts_fire_when_they_should_and_no_others():
    """By promtool, which runs the rules as Prometheus does (P3)."""
    promtool("test", "rules", MONITORING / "alerts_test.yml")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: f"{alert['alert']}-{alert['labels']['severity']}")
def test_each_alert_is_seen_firing_and_silent_on_its_own_metrics(alert):  # P3
    this = alert["alert"], alert["labels"]["severity"]
    concerned = [firing for given, firing in cases() if given & metrics_of(alert["expr"])]
    assert any(this in firing for firing in concerned)
    assert any(this not in firing for firing in concerned)


@pytest.mark.parametrize("name", sorted({alert["alert"] for alert in ALERTS}))
def test_each_alert_has_its_page_in_the_runbook(name):
    assert tuple(re.findall(r"^:([\w ]+): \S", RUNBOOK[name], re.MULTILINE)) == FIELDS
    rules = [rule for rule in ALERTS if rule["alert"] == name]
    assert {rule["annotations"]["runbook"] for rule in rules} == {f"{ANCHOR}{name.lower()}"}
    assert all(rule["annotations"].keys() == {"summary", "description", "runbook"} for rule in rules)


def test_the_runbook_has_no_page_too_many():
    assert {title for title in RUNBOOK if title.startswith("Enterprise")} == {alert["alert"] for alert in ALERTS}


def test_severities_are_page_and_ticket():
    assert {alert["labels"]["severity"] for alert in ALERTS} == {"page", "ticket"}


def test_expressions_name_what_is_told(told):
    """Metrics, their labels, and values that are given exactly (ADD-7)."""
    assert sorted(problem for expression in EXPRESSIONS for problem in problems(expression, told)) == []


def problems(expression: str, told: Mapping[str, Told]) -> Iterator[str]:
    known = {label for name in metrics_of(expression) & told.keys() for label in told[name].labels}
    for name, matchers in SELECTOR.findall(expression):
        if name in RECORDED or name == "up":
            continue
        if name not in told:
            yield f"{name} is not told"
            continue
        for label, operator, value in MATCHER.findall(matchers):
            values = told[name].labels.get(label, set())
            if not values:
                yield f"{name} has no label {label}"
            elif operator == "=" and value not in values | set(RefreshRun.State.values):
                yield f"{name} is never told with {label}={value}"
    for labels in GROUPING.findall(expression):
        unknown = {label.strip() for label in labels.split(",") if label.strip()} - known
        yield from (f"no label {label}: {expression}" for label in unknown)


def test_recorded_names_exist():
    named = {name for expression in EXPRESSIONS for name, _ in SELECTOR.findall(expression) if ":" in name}
    assert named == RECORDED.keys()


def test_reasons_that_are_no_failure_exist():
    named = {value for rule in ALERTS for label, _, value in MATCHER.findall(rule["expr"]) if label == "reason"}
    (reasons,) = named
    assert set(reasons.split("|")) <= set(re.findall(r"^``([a-z_]+)``$", OPERATIONS, re.MULTILINE))


def test_the_api_is_what_its_expressions_say():
    """Every route of the API counts, and nothing else (docs/sla.rst)."""
    matchers = [pair for expression in EXPRESSIONS for pair in MATCHER.findall(expression)]
    patterns = {value for label, _, value in matchers if label == "endpoint"} - {"$endpoint"}
    (pattern,) = patterns | {it["allValue"] for it in DASHBOARD["templating"]["list"] if "allValue" in it}
    names = [*get_resolver().namespace_dict, *(it.name for it in get_resolver().url_patterns if hasattr(it, "name"))]
    assert {name for name in names if re.fullmatch(pattern, f"{name}:route")} == {"v1", "v2", "legacy"}
    assert not any(re.fullmatch(pattern, name) for name in [*names, "unmatched"])


def test_panels_ask_what_prometheus_understands(tmp_path):
    """Older promtools read no bare expression, but rules."""
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m").replace("$endpoint", ".+")}
        for number, expression in enumerate(DRAWN)
    ]
    written = tmp_path / "panels.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", written)


def test_the_dashboard_asks_whichever_prometheus_is_chosen():
    variables = [it for it in DASHBOARD["templating"]["list"] if it["type"] == "query"]
    targets = [target for panel in PANELS for target in panel["targets"]]
    assert all(it["datasource"]["uid"] == "${datasource}" for it in [*variables, *PANELS, *targets])
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_panels_do_not_cover_each_other():
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y) for it in places for x in range(it["x"], it["x"] + it["w"]) for y in range(it["y"], it["y"] + it["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def test_each_metric_is_in_the_table(told):
    """With its type and its labels (ADD-7)."""
    of_family = {
        name if metric.kind == "counter" else metric.family: (metric.kind, set(metric.labels) - {"le"})
        for name, metric in sorted(told.items(), reverse=True)
    }
    table = {name: (kind, set(re.findall(r"``(\w+)``", labels))) for name, kind, labels, _ in METRICS_TABLE}
    assert table == of_family
    assert {by for *_, by in METRICS_TABLE} <= {"web", "worker", "web, worker"}


def test_compose_serves_figures_where_the_example_looks_and_nowhere_else():
    jobs = {job["job_name"]: job for job in SCRAPED}
    asked_for = {value for rule in ALERTS for label, _, value in MATCHER.findall(rule["expr"]) if label == "job"}
    assert asked_for == set(jobs)
    (web,) = jobs["enterprise-catalog-web"]["static_configs"][0]["targets"]
    (workers,) = jobs["enterprise-catalog-worker"]["dns_sd_configs"]
    for service, port in (("web", int(web.removeprefix("web:"))), (workers["names"][0], workers["port"])):
        assert COMPOSE["services"][service]["environment"]["METRICS_PORT"] == port
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert not any(str(port) in line for line in published)
