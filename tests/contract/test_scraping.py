"""
A real Prometheus scrapes the whole service with the example's jobs and all rules (ADD-7).

Configuration, exposed metrics and rules fit together.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from scripts import debian, processes
from tests.contract.test_monitoring import ALERTS, DRAWN, MONITORING, RECORDED
from tests.faults.stage import CATALOG, Stage, staged

pytestmark = pytest.mark.local_run

PATIENCE_SECONDS = 60


class Prometheus:
    """A running Prometheus; `query` and `rules` use its HTTP API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        """Return whether it answers, which is later than that it listens."""
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/-/ready", timeout=10).ok
        return False

    def get(self, path: str, **params: str) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", params=params, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


@contextmanager
def prometheus(*, targets: dict[str, str], directory: Path) -> Iterator[Prometheus]:
    """Run Prometheus with the example's configuration, but scrape each second."""
    debian.ensure(["prometheus"])
    configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(MONITORING / name) for name in configuration["rule_files"]]
    configuration["scrape_configs"] = [
        {"job_name": job["job_name"], "static_configs": [{"targets": [targets[job["job_name"]]]}]}
        for job in configuration["scrape_configs"]
    ]
    (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port, log = processes.free_port(), directory / "prometheus.log"
    command = ["prometheus", f"--config.file={directory / 'prometheus.yml'}", f"--web.listen-address=127.0.0.1:{port}"]
    process = processes.spawn([*command, f"--storage.tsdb.path={directory / 'prometheus'}"], log=log)
    try:
        running = Prometheus(port)
        processes.wait_until(running.is_ready, process=process, log=log, what="prometheus", seconds=PATIENCE_SECONDS)
        yield running
    finally:
        processes.stop(process, grace_seconds=10)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def scraping(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = {f"enterprise-catalog-{name}": address for name, address in stage.service.figures.items()}
    with prometheus(targets=targets, directory=tmp_path_factory.mktemp("prometheus")) as running:
        wait_until(lambda: len(running.query("up == 1")) == len(targets))
        yield running


def wait_until(happened: Callable[[], bool], busy: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        busy()
        time.sleep(0.5)


def test_rules_and_panels_find_figures(stage, scraping):
    """Under work every rule is reckoned with, and every panel has something to show (ADD-7)."""
    run = stage.refresh()

    def all_told() -> bool:
        asked = [expression.replace("$__rate_interval", "1m").replace("$endpoint", ".+") for expression in DRAWN]
        return all(scraping.query(expression) for expression in [*asked, *RECORDED])

    wait_until(all_told, busy=stage.reads)
    assert stage.operator.wait_for(run)["state"] == "published"
    rules = scraping.rules()
    assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []
    assert len(rules) == len(ALERTS) + len(RECORDED)
    assert scraping.query('ALERTS{alertstate="firing"}') == []


def test_a_database_that_is_away_is_seen(stage, scraping):
    """What callers are told counts as errors, and the figures of web do not need what they tell about (ADD-7)."""
    stage.servers.mariadb.kill()
    try:
        wait_until(lambda: bool(scraping.query('ALERTS{alertname="EnterpriseCatalogDatabaseAway"}')), busy=stage.reads)
        wait_until(lambda: scraping.query("enterprise_catalog:request_errors:ratio_5m > 0") != [], busy=stage.reads)
        assert scraping.query('up{job="enterprise-catalog-web"}')[0]["value"][1] == "1"
    finally:
        stage.servers.mariadb.start()
    wait_until(lambda: scraping.query('ALERTS{alertname="EnterpriseCatalogDatabaseAway"}') == [])
    assert stage.status("GET", CATALOG) == 200
