"""One running sandbox for all of these tests, made anew before each, and a client that may call it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from enterprise_catalog.sandbox import Sandbox

FLAGS = {"exclude_expired_course_run": "True", "include_learner_pathways": "True"}


class Client:
    """Calls a sandbox as the service does: with the token of its client credentials."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"JWT {sandbox.token(username='service')}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.sandbox.url + path, timeout=10, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self.sandbox.url + path, timeout=10, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.session.delete(self.sandbox.url + path, timeout=10, **options)

    def token_request(self, **form: str) -> requests.Response:
        config = self.sandbox.config
        usual = {
            "grant_type": "client_credentials",
            "client_id": config.client_id,
            "client_secret": config.client_secret,
            "token_type": "jwt",
        }
        return requests.post(f"{self.sandbox.url}/oauth2/access_token", data={**usual, **form}, timeout=10)

    def search(self, body: dict[str, Any], *, version: int = 1, **query: Any) -> requests.Response:
        return self.post(f"/api/v{version}/search/all/", params=query, json=body)

    def walk(self, body: dict[str, Any], *, version: int = 1, **query: Any) -> list[dict[str, Any]]:
        """All pages, as a client that trusts nothing of `next` but its query."""
        query = {"page_size": 100, "ordering": "aggregation_key,start" if version == 1 else "", **query}
        pages = []
        while True:
            page = self.search(body, version=version, **query)
            assert page.status_code == 200, page.text
            pages.append(page.json())
            following = pages[-1]["next"]
            if following is None:
                return pages
            query = parse_qs(urlsplit(following).query)

    def found(self, body: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        return [document for page in self.walk(body, **query) for document in page["results"]]

    def found_keys(self, body: dict[str, Any], **query: Any) -> set[str]:
        return {document.get("key") or document["uuid"] for document in self.found(body, **query)}


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox(courses=60, programs=5, pathways=2) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    client = Client(sandbox)
    with client.session:
        yield client
