"""
Hold all state of a sandbox: data set, customers, faults, settings and the log of calls.

The control endpoints and the class `Sandbox` both use it, so tests in the same process and shells can do the same.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import count
from threading import Event, Lock
from typing import Any

from enterprise_catalog.sandbox.config import SandboxConfig, sample_customers
from enterprise_catalog.sandbox.dataset import Dataset
from enterprise_catalog.sandbox.endpoints import Endpoints
from enterprise_catalog.sandbox.faults import FaultBook
from enterprise_catalog.sandbox.keys import SigningKey, load_or_create, user_claims
from enterprise_catalog.sandbox.messages import Answer, Request

# A long local run must not grow without end.
KEPT_CALLS = 20_000


@dataclass(frozen=True, kw_only=True)
class Call:
    number: int
    endpoint: str
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    page: int | None
    status: int
    # What the caller says its request is to be called by.
    request_id: str | None


class CallLog:
    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)

    def add(self, *, endpoint: str, request: Request, answer: Answer) -> None:
        body = request.body
        if endpoint == "token" and isinstance(body, dict):
            body = {name: value for name, value in body.items() if name != "client_secret"}
        with self._lock:
            call = Call(
                number=next(self._numbers),
                endpoint=endpoint,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                body=body,
                page=answer.page,
                status=answer.status,
                request_id=request.headers.get("X-Request-ID"),
            )
            self._calls.append(call)

    def list(self, endpoint: str | None = None) -> list[Call]:
        with self._lock:
            return [call for call in self._calls if endpoint in (None, call.endpoint, call.endpoint.partition("_")[0])]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


class World:
    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.key: SigningKey = load_or_create(config.data_dir) if config.data_dir else SigningKey.generate()
        self.dataset = Dataset(config)
        self.endpoints = Endpoints(config=config, dataset=self.dataset, key=self.key)
        self.faults = FaultBook()
        self.calls = CallLog()
        # Set while the server is going down, so that delayed answers do not hold it up.
        self.stopping = Event()
        self.reset()

    def reset(self) -> None:
        """Reset content, customers, settings, faults and log to those after the start."""
        self.dataset.reset()
        self.endpoints.customers = {customer["uuid"]: customer for customer in sample_customers()}
        self.endpoints.throttle.reset()
        self.endpoints.sign_in.reset()
        self.configure(
            requests_per_hour=self.config.requests_per_hour,
            search_v2=self.config.search_v2,
            redirect_uris=self.config.redirect_uris,
        )
        self.faults.clear()
        self.calls.clear()

    def configure(self, **settings: Any) -> None:
        unknown = settings.keys() - {"requests_per_hour", "search_v2", "redirect_uris"}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        if "requests_per_hour" in settings:
            self.endpoints.requests_per_hour = settings["requests_per_hour"]
            self.endpoints.throttle.reset()
        if "search_v2" in settings:
            self.endpoints.search_v2_enabled = bool(settings["search_v2"])
        if "redirect_uris" in settings:
            self.endpoints.sign_in.redirect_uris = tuple(settings["redirect_uris"])

    def put_customer(self, customer: dict[str, Any]) -> None:
        uuid = str(customer["uuid"]).lower()
        present = self.endpoints.customers.get(uuid, {})
        self.endpoints.customers = {**self.endpoints.customers, uuid: {**present, **customer, "uuid": uuid}}

    def remove_customer(self, uuid: str) -> None:
        self.endpoints.customers = {
            known: customer for known, customer in self.endpoints.customers.items() if known != uuid.lower()
        }

    def token(
        self,
        *,
        username: str,
        roles: Sequence[str] = (),
        lifetime: int = 3600,
        administrator: bool = False,
        **claims: Any,
    ) -> str:
        """A user's JWT; further `claims` replace the usual ones."""
        usual = user_claims(
            username=username,
            issuer=self.config.issuer,
            audience=self.config.audience,
            roles=roles,
            lifetime=lifetime,
            administrator=administrator,
        )
        return self.key.sign({**usual, **claims})


def call_as_json(call: Call) -> dict[str, Any]:
    return asdict(call)
