"""
Create and read sample customers and catalogs over HTTP with a token, as any client would.

Fixed uuids make it repeatable: at the second start every catalog exists already and is only read.
"""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import requests

REQUEST_SECONDS = 30
REFRESH_SECONDS = 300
POLL_SECONDS = 0.5
END_STATES = ("published", "held", "failed")


class Unexpected(Exception):
    """The service answered against the contract; the message shows the answer."""


@dataclass(frozen=True)
class Sample:
    uuid: str
    title: str
    customer_slug: str
    content_filter: dict[str, Any]


ADVANCED_COURSES = {"content_type": "course", "level_type": "Advanced"}
# Three customers, six catalogs: one large, two that share one search, one over programs, one over course runs.
SAMPLES = (
    Sample("5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0001", "All courses", "acme-industries", {"content_type": "course"}),
    Sample("5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0002", "Advanced courses", "acme-industries", ADVANCED_COURSES),
    Sample("5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0003", "Advanced courses", "bright-university", ADVANCED_COURSES),
    Sample("5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0004", "Programs", "bright-university", {"content_type": "program"}),
    Sample(
        "5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0005",
        "Upcoming self-paced runs",
        "civic-health",
        {"content_type": "courserun", "availability": "Upcoming", "pacing_type": "self_paced"},
    ),
    Sample(
        "5f3c1c1e-0a51-4f0f-9a53-0d5a1b6e0006",
        "Courses and programs in French",
        "civic-health",
        {"content_type": ["course", "program"], "languages": "French"},
    ),
)


@dataclass(frozen=True)
class Report:
    sample: Sample
    customer_name: str
    items: int
    story: str
    question: str
    contained: bool | None


class Client:
    """Send requests with one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"JWT {token}"

    def call(self, method: str, path: str, *, missing: bool = False, **options: Any) -> requests.Response:
        """Return the response, which is false for a 404 if the object may be `missing`. Raises Unexpected otherwise."""
        response = self._session.request(method, self.url + path, timeout=REQUEST_SECONDS, **options)
        if not response.ok and not (missing and response.status_code == requests.codes.not_found):
            raise Unexpected(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        return response


def create(client: Client, sample: Sample, *, customer: dict[str, Any]) -> str | None:
    """Create the catalog if it does not exist. Return the id of the refresh that it waits for."""
    path = f"/api/v1/enterprise-catalogs/{sample.uuid}/"
    answer = client.call("GET", path, missing=True) or client.call(
        "POST",
        "/api/v1/enterprise-catalogs/",
        json={
            "uuid": sample.uuid,
            "title": sample.title,
            "enterprise_customer": customer["uuid"],
            "enterprise_customer_name": customer["name"],
            "enabled_course_modes": ["verified", "professional", "audit"],
            "publish_audit_enrollment_urls": False,
            "content_filter": sample.content_filter,
        },
    )
    run = answer.headers.get("X-Refresh-Run")
    if run is None and answer.json()["content_refreshed_at"] is None:
        run = client.call("POST", f"{path}refresh_metadata/").json()["async_task_id"]
    return run


def wait_for_run(client: Client, run: str, *, still_alive: Callable[[], None]) -> dict[str, Any]:
    deadline = time.monotonic() + REFRESH_SECONDS
    while True:
        state: dict[str, Any] = client.call("GET", f"/api/v1/refresh-runs/{run}/").json()
        if state["state"] in END_STATES:
            return state
        still_alive()
        if time.monotonic() > deadline:
            raise Unexpected(f"Refresh run {run} is still {state['state']} after {REFRESH_SECONDS} seconds.")
        time.sleep(POLL_SECONDS)


def provision(client: Client, customers: list[dict[str, Any]], *, still_alive: Callable[[], None]) -> list[Report]:
    by_slug = {customer["slug"]: customer for customer in customers}
    runs = {sample.uuid: create(client, sample, customer=by_slug[sample.customer_slug]) for sample in SAMPLES}
    reports = []
    told: dict[str, str] = {}
    for sample in SAMPLES:
        run = runs[sample.uuid]
        story = _story(client, run, sample, told, still_alive=still_alive)
        reports.append(_report(client, sample, by_slug[sample.customer_slug]["name"], story))
    return reports


def _story(
    client: Client,
    run: str | None,
    sample: Sample,
    told: dict[str, str],
    *,
    still_alive: Callable[[], None],
) -> str:
    if run is None:
        return "kept from an earlier start"
    if run in told:
        return f"same search as {told[run]}, so no fetch of its own"
    told[run] = f"{sample.title} of {sample.customer_slug}"
    ended = wait_for_run(client, run, still_alive=still_alive)
    if ended["state"] != "published":
        return f"refresh {ended['state']}: {ended['reason']}"
    took = datetime.fromisoformat(ended["finished_at"]) - datetime.fromisoformat(ended["started_at"])
    return f"fetched and published in {took.total_seconds():.1f} s"


def _report(client: Client, sample: Sample, customer_name: str, story: str) -> Report:
    page = client.call("GET", f"/api/v1/enterprise-catalogs/{sample.uuid}/get_content_metadata/?page_size=1").json()
    key = next((item.get("key") or item["uuid"] for item in page["results"]), None)
    path = (
        f"/api/v1/enterprise-catalogs/{sample.uuid}/contains_content_items/?course_run_ids={quote(key or '', safe='')}"
    )
    contained = client.call("GET", path).json()["contains_content_items"]
    return Report(
        sample=sample,
        customer_name=customer_name,
        items=page["count"],
        story=story,
        question=path,
        contained=contained if key else None,
    )


def describe(report: Report, *, url: str, token_file: Path) -> str:
    key = report.question.rpartition("=")[2]
    curl = f'curl -H "Authorization: JWT $(cat {shlex.quote(str(token_file))})" {shlex.quote(url + report.question)}'
    return (
        f"{report.customer_name}: {report.sample.title}\n"
        f"  {report.items:,} items, {report.story}\n"
        f"  contains {unquote(key)}? {report.contained}\n"
        f"  {curl}\n"
    )
