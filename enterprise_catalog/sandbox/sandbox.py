"""A sandbox that runs beside a test, in the same process."""

from collections.abc import Sequence
from threading import Thread
from types import TracebackType
from typing import Any, Self

from enterprise_catalog.sandbox.config import SandboxConfig
from enterprise_catalog.sandbox.dataset import Dataset, View
from enterprise_catalog.sandbox.faults import Fault
from enterprise_catalog.sandbox.server import SandboxServer
from enterprise_catalog.sandbox.world import Call, World

POLL_SECONDS = 0.02


class Sandbox:
    """`with Sandbox(courses=50) as sandbox:` serves at `sandbox.url` until the block ends.

    `stop` and `start` may be called in between: the port stays, so that a test can take discovery away and
    bring it back.
    """

    def __init__(self, **settings: Any) -> None:
        self.config = SandboxConfig(**settings)
        self.world = World(self.config)
        self._port = self.config.port
        self._server: SandboxServer | None = None
        self._thread: Thread | None = None

    def start(self) -> Self:
        self.world.endpoints.search.warm_up()
        self.world.stopping.clear()
        self._server = SandboxServer(self.world, host=self.config.host, port=self._port)
        self._port = self._server.server_port
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, name="sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self.world.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Root of discovery and LMS, without a slash at the end."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self._port}"

    @property
    def dataset(self) -> Dataset:
        return self.world.dataset

    def reset(self) -> None:
        self.world.reset()

    # Tokens

    def jwks(self) -> dict[str, Any]:
        return self.world.key.jwks()

    def token(self, *, username: str = "learner", roles: Sequence[str] = (), **claims: Any) -> str:
        return self.world.token(username=username, roles=roles, **claims)

    # Calls and faults

    def calls(self, endpoint: str | None = None) -> list[Call]:
        """Calls so far, oldest first; `search` stands for both versions."""
        return self.world.calls.list(endpoint)

    def clear_calls(self) -> None:
        self.world.calls.clear()

    def add_fault(self, **fault: Any) -> int:
        return self.world.faults.add(Fault(**fault))

    def clear_faults(self) -> None:
        self.world.faults.clear()

    def fault_applied(self, number: int) -> int:
        return self.world.faults.applied(number)

    def configure(self, **settings: Any) -> None:
        """`requests_per_hour` (None: no throttle), `search_v2` (False: 404), `redirect_uris` (of people's sign-in)."""
        self.world.configure(**settings)

    # Content

    def search_document(self, content_type: str, key: str) -> dict[str, Any]:
        """The search document of an item, all unrestricted runs shown."""
        identity = f"{content_type}:{key}"
        entry = next(entry for entry in self.dataset.entries() if entry.identity == identity)
        return self.dataset.document(entry, View())

    def course_record(self, key: str, *, restrictions: Sequence[str] = ()) -> dict[str, Any]:
        record = self.dataset.course_record(key, restrictions=restrictions)
        if record is None:
            raise KeyError(key)
        return record

    def touch(self, key: str) -> str:
        return self.dataset.touch(key)

    def edit(self, key: str, **fields: Any) -> None:
        self.dataset.edit(key, **fields)

    def remove(self, key: str) -> None:
        self.dataset.remove(key)

    def upsert_search(
        self, document: dict[str, Any], *, hidden: dict[str, Any] | None = None, double: bool = False
    ) -> None:
        self.dataset.upsert_search(document, hidden=hidden, double=double)

    def upsert_record(self, record: dict[str, Any]) -> None:
        self.dataset.upsert_record(record)

    # Customers

    def put_customer(self, customer: dict[str, Any]) -> None:
        self.world.put_customer(customer)

    def remove_customer(self, uuid: str) -> None:
        self.world.remove_customer(uuid)
