"""
Serve another discovery and LMS than the sandbox, with recorded sample documents.

It ignores filters, returns pages as they were recorded, and has no search v2, like older releases.
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.samples import sample

AUDIENCE = "campus-catalogs"
ISSUER = "https://lms.example.org/oauth2"


class StandIn:
    """`with StandIn() as stand_in:` serves at `stand_in.url`; it also signs users' tokens, as an LMS does."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.searches: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def variables(self) -> dict[str, str]:
        """Return the environment of a service with this as discovery and LMS."""
        return {
            "DISCOVERY_SERVICE_URL": self.url,
            # No throttling here.
            "DISCOVERY_REQUESTS_PER_HOUR": "0",
            "LMS_ROOT_URL": self.url,
            "OAUTH2_PROVIDER_URL": f"{self.url}/oauth2",
            "JWT_ISSUER": ISSUER,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_PUBLIC_SIGNING_JWK_SET": self.jwk_set(),
        }

    def jwk_set(self) -> str:
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return json.dumps({"keys": [public | {"kid": "lms", "use": "sig", "alg": "RS512"}]})

    def token(self, username: str, *roles: str) -> str:
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "preferred_username": username}
        return jwt.encode(claims | {"roles": list(roles)}, self._key, algorithm="RS512")

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> dict[str, Any] | None:
        if (method, path) == ("POST", "/oauth2/access_token"):
            return sample("oauth_access_token") | {"access_token": "opaque-to-everybody"}
        if (method, path) == ("POST", "/api/v1/search/all/"):
            self.searches.append(body)
            return sample(f"search_all_page_{query['page'][0]}")
        if path == "/api/v1/courses/":
            return _chosen(sample("courses_by_keys"), "key", query["keys"][0])
        if path == "/api/v1/programs/":
            return _chosen(sample("programs_by_uuids"), "uuid", query["uuids"][0])
        if path == "/api/v1/course_review/":
            return sample("course_reviews_page")
        if path == "/enterprise/api/v1/enterprise-customer/":
            return _chosen(sample("lms_enterprise_customer"), "uuid", query["uuid"][0])
        return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply("GET")

            def do_POST(self) -> None:
                self._reply("POST")

            def _reply(self, method: str) -> None:
                url = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                is_json = self.headers.get("Content-Type") == "application/json"
                body = json.loads(raw) if raw and is_json else None
                answer = stand_in.answer(method, url.path, parse_qs(url.query), body)
                text = json.dumps(answer if answer is not None else {"detail": "Not found."}).encode()
                self.send_response(200 if answer is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler


def _chosen(page: dict[str, Any], field: str, asked: str) -> dict[str, Any]:
    results = [row for row in page["results"] if row[field] in asked.split(",")]
    return page | {"count": len(results), "results": results}
