"""
The one table of who may do what: every route x every method x every kind of caller (CONTRACT section 2).

A block begins with the routes it is about. Each row under it says: methods; what is asked about; the status for each
caller; how a 403 explains itself (ROLE-7); the requirements. What is asked about:

    of-E        an object of customer E only                of-both     of a query that E and another customer use
    of-nobody   of a query without catalogs (PERM-19)       unknown     well-formed, but there is no such object
    malformed   what cannot name an object (COM-3)          absent      customer E, but content none of its catalogs has
    for-E, for-nobody, moved, foreign, broken               bodies: for customer E, for none, to another customer, with
                                                            another customer's catalog, no JSON
    held        a run that waits for a decision             -           nothing that could differ

A anonymous, N without role, L learner of E, X learner of another, M admin of E, Y admin of another, O operator, P
provisioning admin, S staff without role, D staff without role but with Django's permissions to view, add and change
catalogs and queries (PERM-17), U superuser.

HEAD is as GET. A method without a row is one the route does not have: 405, or 401 for the anonymous (AUTH-7, AUTH-9).
"""

from dataclasses import dataclass

CALLERS = "ANLXMYOPSDU"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")

TABLE = """
home health health-live health-ready health-freshness schema docs api-docs csrf-token
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           200 200 200 200 200 200 200 200 200 200 200  -                PERM-18

v2:catalogs v2:catalogs-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 200 200 200 200 403 200 200  list             PERM-1 SURF-5

v2:catalog v2:catalog-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 403 200 200 403 200 200  admin            PERM-3 SURF-5
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:catalogs v1:catalogs-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 200 200 200 200 403 200 200  list             PERM-1
    POST      for-E       401 403 403 403 201 403 201 201 403 201 201  admin            PERM-2
    POST      for-nobody  401 403 403 403 403 403 400 400 403 400 400  admin            CRUD-4
    POST      broken      401 400 400 400 400 400 400 400 400 400 400  -                AUTH-9

v1:catalog v1:catalog-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 403 200 200 403 200 200  admin            PERM-3
    PUT       of-E        401 403 403 403 200 403 200 200 403 200 200  admin            PERM-3
    PATCH     of-E        401 403 403 403 200 403 200 200 403 200 200  admin            PERM-3
    PUT       moved       401 403 403 403 403 403 200 200 403 200 200  admin            PERM-20
    PATCH     moved       401 403 403 403 403 403 200 200 403 200 200  admin            PERM-20
    PUT       broken      401 403 403 403 400 403 400 400 403 400 400  admin            AUTH-9
    PATCH     broken      401 403 403 403 400 403 400 400 403 400 400  admin            AUTH-9
    DELETE    of-E        401 403 403 403 204 403 204 403 403 403 204  admin            PERM-4
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    PUT       unknown     401 404 404 404 404 404 404 404 404 404 404  -                CRUD-7 AUTH-7
    PATCH     unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    DELETE    unknown     401 404 404 404 404 404 404 404 404 404 404  -                CRUD-9 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    PUT       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    PATCH     malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    DELETE    malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:catalog-contains v1:catalog-contains-as v2:catalog-contains v2:catalog-contains-as
v1:catalog-content-metadata v2:catalog-content-metadata v1:catalog-diff
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-5
    POST      of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-5 ADD-6
    POST      broken      401 403 400 403 400 403 400 403 403 403 400  learner          AUTH-9
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    POST      unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    POST      malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:catalog-changes v1:catalog-export-csv v1:catalog-export-xlsx
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-5
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:catalog-refresh-metadata
                           A   N   L   X   M   Y   O   P   S   D   U
    POST      of-E        401 403 403 403 200 403 200 403 403 403 200  admin            PERM-6
    POST      unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    POST      malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:customer-contains v1:customer-contains-as v2:customer-contains v2:customer-contains-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-7
    POST      of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-7 ADD-6
    POST      broken      401 403 400 403 400 403 400 403 403 403 400  learner          AUTH-9
    GET       unknown     401 403 403 403 403 403 200 403 403 403 200  learner          PERM-7 AUTH-7
    POST      unknown     401 403 403 403 403 403 200 403 403 403 200  learner          PERM-7 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    POST      malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:customer-filter v2:customer-filter
                           A   N   L   X   M   Y   O   P   S   D   U
    POST      of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-7
    POST      foreign     401 403 200 403 200 403 200 403 403 403 200  learner          FILT-2
    POST      broken      401 403 400 403 400 403 400 403 403 403 400  learner          AUTH-9
    POST      unknown     401 403 403 403 403 403 200 403 403 403 200  learner          PERM-7 AUTH-7
    POST      malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:customer-content v2:customer-content
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 200 403 200 403 200 403 403 403 200  learner          PERM-7
    GET       absent      401 403 404 403 404 403 404 403 403 403 404  learner          PERM-7 CUST-5
    GET       unknown     401 403 403 403 403 403 404 403 403 403 404  learner          PERM-7 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:contents
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 200 200 200 200 200 200 200 200 200 200  -                PERM-8

v1:content
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 200 200 200 200 200 200 200 200 200 200  -                PERM-8
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                CM-1 AUTH-7

v1:catalog-queries
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 200 200 200 403 403 200 200  list             PERM-9 PERM-21

v1:catalog-query
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 404 200 403 403 200 200  list             PERM-10 PERM-21
    GET       of-E-by-id  401 403 403 403 200 404 200 403 403 200 200  list             PERM-10
    GET       of-both     401 403 403 403 200 200 200 403 403 200 200  list             PERM-19
    GET       of-nobody   401 403 403 403 404 404 200 403 403 200 200  list             PERM-19
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                CQ-1 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

v1:catalog-query-by-hash
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 404 200 403 403 200 200  list             PERM-10 PERM-21
    GET       of-both     401 403 403 403 200 200 200 403 403 200 200  list             PERM-19
    GET       of-nobody   401 403 403 403 404 404 200 403 403 200 200  list             PERM-19
    GET       unknown     401 403 403 403 404 404 404 403 403 404 404  list             CQ-2
    GET       malformed   401 403 403 403 400 400 400 403 403 400 400  list             CQ-2 AUTH-9

v1:content-filter-hash
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 200 200 200 403 403 200 200  list             PERM-11
    POST      -           401 403 403 403 200 200 200 403 403 200 200  list             PERM-11
    POST      broken      401 403 403 403 400 400 400 403 403 400 400  list             AUTH-9

v1:distinct-catalog-queries
                           A   N   L   X   M   Y   O   P   S   D   U
    POST      -           401 403 403 403 403 403 200 403 403 200 200  list             PERM-12
    POST      broken      401 403 403 403 403 403 400 403 403 400 400  list             AUTH-9

v1:refresh-run
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 403 200 200 403 403 200  list             PERM-13
    GET       of-both     401 403 403 403 200 200 200 200 403 403 200  list             PERM-19
    GET       of-nobody   401 403 403 403 403 403 200 403 403 403 200  list             PERM-19 RUN-5
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                RUN-5 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                RUN-5 AUTH-7

v1:approve-run v1:reject-run
                           A   N   L   X   M   Y   O   P   S   D   U
    POST      held        401 403 403 403 403 403 200 403 403 403 200  list             RUN-6
    POST      of-E        401 403 403 403 403 403 409 403 403 403 409  list             RUN-6
    POST      unknown     401 404 404 404 404 404 404 404 404 404 404  -                RUN-6 AUTH-7
    POST      malformed   401 404 404 404 404 404 404 404 404 404 404  -                RUN-6 AUTH-7

v1:content-explanations
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 403 403 200 403 403 403 200  list             ADD-5

legacy:catalogs legacy:catalogs-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 200 200 200 403 403 200 200  legacy           PERM-14

legacy:catalog legacy:catalog-as
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 403 200 403 403 403 200  legacy           PERM-15 LEG-2
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

legacy:course legacy:run legacy:program
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 403 200 403 403 403 200  legacy           PERM-15 LEG-2
    GET       absent      401 403 403 403 404 403 404 403 403 403 404  legacy           PERM-15 LEG-17
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

legacy:catalog-contains
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 404 200 404 200 404 200 404 404 404 200  -                PERM-16 LEG-2
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

legacy:customer-contains
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 200 403 200 403 403 403 200  legacy           PERM-15 LEG-2
    GET       unknown     401 403 403 403 403 403 200 403 403 403 200  legacy           PERM-15 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                COM-3 AUTH-7

legacy:catalog-queries
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       -           401 403 403 403 403 403 200 403 403 200 200  list             PERM-17

legacy:catalog-query
                           A   N   L   X   M   Y   O   P   S   D   U
    GET       of-E        401 403 403 403 403 403 200 403 403 200 200  list             PERM-17
    GET       unknown     401 404 404 404 404 404 404 404 404 404 404  -                LEG-18 AUTH-7
    GET       malformed   401 404 404 404 404 404 404 404 404 404 404  -                LEG-18 AUTH-7

legacy:customer-catalog
                           A   N   L   X   M   Y   O   P   S   D   U
    POST      for-E       401 403 403 403 403 403 201 403 403 201 201  list             PERM-17
    POST      broken      401 403 403 403 403 403 400 403 403 400 400  list             AUTH-9
    PATCH     of-E        401 403 403 403 403 403 200 403 403 200 200  list             PERM-17
    PATCH     unknown     401 403 403 403 403 403 404 403 403 404 404  list             LEG-20
    PATCH     malformed   401 403 403 403 403 403 404 403 403 404 404  list             LEG-20
    PATCH     broken      401 403 403 403 403 403 400 403 403 400 400  list             AUTH-9
"""


@dataclass(frozen=True)
class Row:
    method: str
    case: str
    statuses: dict[str, int]
    refusals: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    routes: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def is_public(self) -> bool:
        return all(row.statuses["A"] != 401 for row in self.rows)

    @property
    def methods(self) -> set[str]:
        methods = {row.method for row in self.rows}
        return methods | {"HEAD"} if "GET" in methods else methods

    @property
    def cases(self) -> list[str]:
        return list(dict.fromkeys(row.case for row in self.rows))


def parse(table: str) -> list[Block]:
    blocks = []
    for text in table.strip().split("\n\n"):
        lines = text.splitlines()
        routes = [name for line in lines if not line.startswith(" ") for name in line.split()]
        rows = [_row(line) for line in lines if line.startswith(" ") and line.split() != list(CALLERS)]
        blocks.append(Block(tuple(routes), tuple(rows)))
    return blocks


def _row(line: str) -> Row:
    method, case, *statuses = line.split()[: 2 + len(CALLERS)]
    refusals = line.split()[2 + len(CALLERS)].split("/")
    return Row(method, case, dict(zip(CALLERS, map(int, statuses), strict=True)), tuple(refusals))


BLOCKS = parse(TABLE)
