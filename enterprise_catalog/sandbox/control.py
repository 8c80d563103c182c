"""
Serve the control endpoints under /sandbox/, with which tests and people change a running sandbox.

They return tokens for any user, so only this machine can reach them.
"""

from collections.abc import Callable
from typing import Any

from enterprise_catalog.sandbox.config import customer
from enterprise_catalog.sandbox.faults import Fault
from enterprise_catalog.sandbox.messages import Answer, Request, bad_request, not_found
from enterprise_catalog.sandbox.world import World, call_as_json

PREFIX = "/sandbox/"


class Control:
    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", ""): self._overview,
            ("GET", "calls"): lambda request: [
                call_as_json(call) for call in world.calls.list(request.param("endpoint"))
            ],
            ("DELETE", "calls"): lambda request: world.calls.clear(),
            ("POST", "faults"): lambda request: {"id": world.faults.add(Fault.from_json(request.body))},
            ("DELETE", "faults"): self._remove_faults,
            ("POST", "customers"): self._put_customer,
            ("DELETE", "customers"): lambda request: world.remove_customer(_required(request, "uuid")),
            ("POST", "documents"): self._put_documents,
            ("DELETE", "documents"): lambda request: world.dataset.remove(_required(request, "key")),
            ("POST", "edit"): lambda request: world.dataset.edit(request.body["key"], **request.body["fields"]),
            ("POST", "touch"): lambda request: {"title": world.dataset.touch(request.body["key"])},
            ("POST", "settings"): lambda request: world.configure(**request.body),
            ("POST", "reset"): lambda request: world.reset(),
            ("GET", "token"): self._token,
        }

    def answer(self, request: Request) -> Answer:
        name = request.path.removeprefix(PREFIX).strip("/")
        handler = self._routes.get((request.method, name))
        if handler is None:
            return not_found()
        try:
            return Answer(payload=handler(request))
        except KeyError as error:
            return bad_request(f"{error.args[0]} is required.")
        except (TypeError, ValueError) as error:
            return bad_request(str(error))

    def _overview(self, request: Request) -> dict[str, Any]:
        world = self._world
        return {
            "courses": world.dataset.course_keys(),
            "programs": world.dataset.program_uuids(),
            "customers": list(world.endpoints.customers.values()),
            "issuer": world.config.issuer,
            "audience": world.config.audience,
            "reference_time": world.config.now.isoformat(),
        }

    def _remove_faults(self, request: Request) -> None:
        number = request.param("id")
        if number is None:
            self._world.faults.clear()
        else:
            self._world.faults.remove(int(number))

    def _put_customer(self, request: Request) -> Any:
        uuid = str(request.body["uuid"]).lower()
        if uuid not in self._world.endpoints.customers:
            name = request.body["name"]
            self._world.put_customer(customer(uuid, name=name, slug=request.body["slug"]))
        self._world.put_customer(request.body)
        return self._world.endpoints.customers[uuid]

    def _put_documents(self, request: Request) -> None:
        body = request.body
        if not body.keys() & {"search", "record"}:
            raise ValueError("Give `search`, `record`, or both.")
        if "search" in body:
            self._world.dataset.upsert_search(
                body["search"], hidden=body.get("hidden"), double=body.get("double") is True
            )
        if "record" in body:
            self._world.dataset.upsert_record(body["record"])

    def _token(self, request: Request) -> dict[str, str]:
        token = self._world.token(
            username=_required(request, "username"),
            roles=request.query.get("roles", []),
            lifetime=int(request.param("lifetime") or 3600),
            administrator=request.param("administrator") == "true",
        )
        return {"token": token}


def _required(request: Request, name: str) -> str:
    value = request.param(name)
    if not value:
        raise KeyError(name)
    return value
