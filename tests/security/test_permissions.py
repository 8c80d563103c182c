"""
Every cell of the permission table over HTTP, with roles by token and by assignment; no route is missing from the table.

Requirements: PERM-1 to PERM-21, ROLE-7, AUTH-7, AUTH-9.
"""

from collections import Counter
from typing import Any

import pytest
from django.urls import reverse

from tests.security.callers import SOURCES, callers
from tests.security.permission_table import BLOCKS, CALLERS, METHODS, Block, Row
from tests.security.urlconf import Route, all_routes
from tests.security.world import World, ask, path_arguments
from tests.security.writes import rolled_back

pytestmark = pytest.mark.django_db

NOT_PROVIDED = {"detail": "Authentication credentials were not provided."}
REFUSALS = {
    "list": "You do not have permission to perform this action.",
    "admin": "MISSING: catalog.has_admin_access",
    "learner": "MISSING: catalog.has_learner_access",
    "legacy": "Missing: enterprise.can_view_catalog",
}
# Everything else only reads, by whatever method.
WRITING = {"v1:catalogs", "v1:catalogs-as", "v1:catalog", "v1:catalog-as", "v1:catalog-refresh-metadata"} | {
    "v1:approve-run",
    "v1:reject-run",
    "legacy:customer-catalog",
}


# The admin is one family, with rules of its own: test_admin_permissions. Figures have a token of theirs: test_metrics.
ROUTES = [
    route for route in all_routes() if not (route.is_of_admin or route.is_way_into_admin or route.name == "metrics")
]
BY_NAME = {route.name: route for route in ROUTES}
PAIRS = [(block, BY_NAME[name]) for block in BLOCKS for name in block.routes if name in BY_NAME]
CASES = [pytest.param(block, route, id=route.name) for block, route in PAIRS]
CELLS = [
    pytest.param(block, route, roles_from, id=f"{route.name} {roles_from}")
    for block, route in PAIRS
    # Where nobody needs a role it does not matter from where it would come.
    for roles_from in (SOURCES[:1] if block.is_public else SOURCES)
]


def test_every_route_has_rows_and_every_row_a_route():
    in_table = Counter(name for block in BLOCKS for name in block.routes)
    assert set(in_table) == {route.name for route in ROUTES}
    assert max(in_table.values()) == 1
    assert Counter(route.name for route in ROUTES).most_common(1)[0][1] == 1


def test_being_staff_opens_nothing():  # PERM-17
    rows = [row for block in BLOCKS for row in block.rows]
    assert [row for row in rows if row.statuses["S"] != row.statuses["N"]] == []
    assert [row for row in rows if row.statuses["D"] != row.statuses["N"]] != []


def test_no_row_stands_twice():
    rows = Counter((name, row.method, row.case) for block in BLOCKS for name in block.routes for row in block.rows)
    assert rows.most_common(1)[0][1] == 1


@pytest.mark.parametrize(("block", "route", "roles_from"), CELLS)
def test_every_cell(world: World, block: Block, route: Route, roles_from: str):
    clients = callers(CALLERS, roles_from=roles_from)
    # What roles cannot change is asked once: HEAD and JSON with those by token, no last slash and XML with the others.
    is_first = roles_from == "token"
    wrong = []
    for row in block.rows:
        path = path_of(route, row.case, world, slash=is_first, suffix="json" if is_first else "xml")
        for method in ("GET", "HEAD") if row.method == "GET" and is_first else (row.method,):
            for letter, client in clients.items():
                with rolled_back() as written:
                    response = ask(client, method, path, route=route.name, case=row.case, world=world)
                    complaint = complaint_about(response, method, letter, row)
                if not complaint and written and (response.status_code >= 400 or route.name not in WRITING):
                    complaint = f"wrote {written}"
                if complaint:
                    wrong.append(f"{method} {path} ({row.case}) as {letter} by {roles_from}: {complaint}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("block", "route"), CASES)
def test_a_method_without_a_row_is_not_allowed(world: World, block: Block, route: Route):
    """The anonymous learn neither of objects nor of methods; for others the method comes first (AUTH-7, AUTH-9)."""
    clients = callers(CALLERS, roles_from="token")
    wrong = []
    for method in [method for method in METHODS if method not in block.methods]:
        for case in block.cases:
            path = path_of(route, case, world, slash=True, suffix="json")
            # The method is looked at before the object, so one case does for most.
            for letter in CALLERS if case == block.cases[0] else "ANU":
                expected = 401 if letter == "A" and not block.is_public else 405
                with rolled_back() as written:
                    response = ask(clients[letter], method, path, route=route.name, case=case, world=world)
                if response.status_code != expected or written:
                    seen = f"{response.status_code} {content_of(response)[:200]!r} wrote {written}"
                    wrong.append(f"{method} {path} ({case}) as {letter}: {expected} expected, {seen} seen")
    assert not wrong, "\n".join(wrong)


def path_of(route: Route, case: str, world: World, *, slash: bool, suffix: str) -> str:
    """Return the path of a case. The last slash makes no difference (COM-1)."""
    named = path_arguments(world, pattern=route.pattern, parameters=set(route.parameters), case=case)
    if "format" in route.parameters:
        named["format"] = suffix
    path = reverse(route.name, kwargs=named).replace("%2B", "+")
    return path if slash or path == "/" else path.removesuffix("/")


def content_of(response: Any) -> bytes:
    return response.getvalue() if response.streaming else response.content


def complaint_about(response: Any, method: str, letter: str, row: Row) -> str:
    """Return what is wrong with a response, or an empty text."""
    content, status = content_of(response), response.status_code
    expected = row.statuses[letter]
    if status != expected:
        return f"{expected} expected, {status} seen: {content[:200]!r}"
    if method == "HEAD":
        return f"a HEAD with a body: {content[:200]!r}" if content else ""
    if status >= 400:
        return refusal_complaint(response, content, status, row)
    return ""


def refusal_complaint(response: Any, content: bytes, status: int, row: Row) -> str:
    if response["Content-Type"].startswith("application/xml"):
        return "" if content.startswith(b"<?xml") else f"no XML: {content[:200]!r}"
    body = response.json()
    if status == 401 and (body != NOT_PROVIDED or response["WWW-Authenticate"] != 'JWT realm="api"'):
        return f"not the words of AUTH-3: {body}"
    if status == 403 and body["detail"] not in [REFUSALS[name] for name in row.refusals]:
        return f"not the words of ROLE-7: {body}"
    if status in (404, 409) and not isinstance(body["detail"], str):
        return f"not the shape of ERR-1: {body}"
    return ""
