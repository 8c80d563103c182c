"""Serve a world as discovery and LMS: search v2 by cursor, full records, programs, reviews, customers."""

import json
from typing import Any

from tests.contract.oracle.world import Item, World
from tests.contract.stand_in import StandIn

PAGE_SIZE = 40


class OddDiscovery(StandIn):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Item | None:
        if path == "/api/v2/search/all/":
            return self._search(body, start=json.loads(query.get("search_after", ["[0]"])[0])[0])
        if path == "/api/v1/courses/":
            return _page(self._courses(query["keys"][0].split(","), restricted="include_restricted" in query))
        if path == "/api/v1/programs/":
            asked = query["uuids"][0].split(",")
            return _page([self._world.programs[uuid] for uuid in asked if uuid in self._world.programs])
        if path == "/api/v1/course_review/":
            return _page(list(self._world.reviews.values()))
        if path == "/enterprise/api/v1/enterprise-customer/":
            customer = self._world.customers.get(query["uuid"][0], {})
            return None if customer is None else _page([customer] if customer else [])
        return super().answer(method, path, query, body)

    def _search(self, body: Item, *, start: int) -> Item:
        (name,) = body["org"] if isinstance(body["org"], list) else [body["org"]]
        documents = self._world.searches[name]
        page = documents[start : start + PAGE_SIZE]
        # As in discovery, a full last page is followed by an empty one (DISC-3).
        after = f"/api/v2/search/all/?search_after=[{start + PAGE_SIZE}]" if len(page) == PAGE_SIZE else None
        return _page(page) | {"count": len(documents), "next": after, "facets": {}}

    def _courses(self, keys: list[str], *, restricted: bool) -> list[Item]:
        """Return courses by key, compared in any case as discovery's database does."""
        asked = {key.lower() for key in keys}
        found = (self._world.course(key, restricted=restricted) for key in self._world.courses if key.lower() in asked)
        return [record for record in found if record]


def _page(results: list[Item]) -> Item:
    return {"count": len(results), "next": None, "previous": None, "results": results}
