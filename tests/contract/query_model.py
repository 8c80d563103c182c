"""
Model the rules of catalogs and queries as plain values: QRY-1 to QRY-9 and CRUD-4 to CRUD-9 once more.

It returns what must become of them, request by request, and shares no code with the service.
"""

from dataclasses import dataclass, field, replace
from typing import Any

REQUIRED = ["title", "enterprise_customer", "enterprise_customer_name", "enabled_course_modes"]
REQUIRED += ["publish_audit_enrollment_urls"]
FORBIDDEN = (403, {"detail": "MISSING: catalog.has_admin_access"})
NOT_FOUND = (404, {"detail": "No EnterpriseCatalog matches the given query."})
CONFLICT = (409, {"uuid": ["An enterprise catalog with this uuid already exists with different values."]})

Answer = tuple[int, Any]


@dataclass(eq=False)
class Query:
    """A query. `uuid` is None while the one that the service chose is unknown."""

    content_filter: dict[str, str]
    uuid: str | None
    title: str | None
    named: bool


@dataclass
class Catalog:
    values: dict[str, Any]
    query: Query


@dataclass(frozen=True)
class Caller:
    """A caller. `edits_all`: operators and provisioning (QRY-7); `sees_all`: operators (PERM-10)."""

    customers: frozenset[str] = frozenset()
    edits_all: bool = False
    sees_all: bool = False

    def reaches(self, customer: str) -> bool:
        return self.edits_all or customer in self.customers


class Refused(Exception):
    """The request is refused (QRY-6); the first argument is the body."""


@dataclass
class Model:
    catalogs: dict[str, Catalog] = field(default_factory=dict)
    queries: list[Query] = field(default_factory=list)

    def title_for(self, caller: Caller, query: Query) -> str | None:  # CRUD-1
        return query.title if caller.sees_all or self.may_edit(caller, query) else None

    def customers_on(self, query: Query) -> set[str]:
        return {it.values["enterprise_customer"] for it in self.catalogs.values() if it.query is query}

    def may_edit(self, caller: Caller, query: Query) -> bool:  # QRY-7
        return caller.edits_all or set() < self.customers_on(query) <= caller.customers

    def is_others(self, caller: Caller, query: Query) -> bool:
        return bool(self.customers_on(query)) and not self.may_edit(caller, query)

    def may_see(self, caller: Caller, query: Query) -> bool:  # PERM-10
        return caller.sees_all or bool(self.customers_on(query) & caller.customers)

    def find(self, **wanted: Any) -> Query | None:
        ((name, value),) = wanted.items()
        return next((query for query in self.queries if getattr(query, name) == value), None)

    def resolved(
        self, caller: Caller, content_filter: dict[str, str], uuid: str | None, title: str | None
    ) -> tuple[Query, Query, Query | None]:
        """Return the query to attach to, its new values, and the query that it replaces."""
        same_uuid, same_filter = self.find(uuid=uuid) if uuid else None, self.find(content_filter=content_filter)
        if same_uuid is None:
            if same_filter is None:  # QRY-1, QRY-5
                self.refuse_taken(caller, title, besides=None)
                return new(content_filter, uuid, title)
            if uuid and not same_filter.named and not self.is_others(caller, same_filter):  # QRY-4
                self.refuse_taken(caller, title, besides=None)
                return same_filter, renamed(same_filter, uuid, title, named=True), None
            return same_filter, same_filter, None
        if same_uuid is same_filter:  # QRY-2
            if title in (None, same_uuid.title) or not self.may_edit(caller, same_uuid):
                return same_uuid, same_uuid, None
            self.refuse_taken(caller, title, besides=same_uuid)
            return same_uuid, renamed(same_uuid, None, title, named=True), None
        if not self.may_edit(caller, same_uuid):  # QRY-3
            return (same_filter, same_filter, None) if same_filter else new(content_filter, None, None)
        if same_filter and not same_filter.named and self.is_others(caller, same_filter):  # ADR 0015
            return same_filter, same_filter, same_uuid
        self.refuse_taken(caller, title, besides=same_uuid, content_filter_of=same_filter)
        if same_filter:
            title = title or same_uuid.title
            return same_filter, renamed(same_filter, uuid, title, named=same_uuid.named), same_uuid
        rewritten = replace(same_uuid, content_filter=content_filter)
        return same_uuid, renamed(rewritten, None, title, named=same_uuid.named), None

    def refuse_taken(
        self, caller: Caller, title: str | None, *, besides: Query | None, content_filter_of: Query | None = None
    ) -> None:
        errors = {}
        owner = self.find(title=title) if title else None
        if owner and owner is not besides:
            errors["query_title"] = [self.taken(caller, "title", owner)]
        if content_filter_of and content_filter_of.named:
            errors["content_filter"] = [self.taken(caller, "content filter", content_filter_of)]
        if errors:
            raise Refused(errors)

    def taken(self, caller: Caller, what: str, owner: Query) -> str:  # QRY-6
        text = f"This {what} is already used by catalog query"
        return f"{text} {owner.uuid}." if self.may_see(caller, owner) else text

    def create(self, caller: Caller, uuid: str, body: dict[str, Any]) -> Answer:
        values = {name: body[name] for name in REQUIRED}
        if not caller.reaches(values["enterprise_customer"]):
            return FORBIDDEN
        requested = (body["content_filter"], body.get("catalog_query_uuid"), body.get("query_title"))
        existing = self.catalogs.get(uuid)
        try:
            row, becomes, replaced = self.resolved(caller, *requested)
        except Refused as refused:
            return CONFLICT if existing else (400, refused.args[0])
        if existing:  # CRUD-5
            unchanged = existing.values == values and existing.query is row is becomes
            return (200, self.shown(caller, uuid)) if unchanged else CONFLICT
        self.catalogs[uuid] = Catalog(values, self.carried_out(row, becomes, replaced))
        return 201, self.shown(caller, uuid)

    def change(self, caller: Caller, uuid: str, body: dict[str, Any]) -> Answer:
        catalog = self.catalogs.get(uuid)
        if catalog is None:
            return NOT_FOUND
        values = {name: body[name] for name in REQUIRED if name in body}
        if not all(caller.reaches((catalog.values | it)["enterprise_customer"]) for it in ({}, values)):  # PERM-20
            return FORBIDDEN
        requested = self.requested_change(caller, catalog.query, body)
        if requested is not None:
            try:
                row, becomes, replaced = self.resolved(caller, *requested)
            except Refused as refused:
                return 400, refused.args[0]
            catalog.query = self.carried_out(row, becomes, replaced)
        catalog.values |= values
        return 200, self.shown(caller, uuid)

    def requested_change(
        self, caller: Caller, attached: Query, body: dict[str, Any]
    ) -> tuple[dict[str, str], str | None, str | None] | None:  # CRUD-8
        uuid, title = body.get("catalog_query_uuid"), body.get("query_title")
        if "content_filter" in body:
            return body["content_filter"], uuid, title
        if uuid is None:
            return None if title is None else (attached.content_filter, attached.uuid, title)
        asked = self.find(uuid=uuid)
        if asked is None:
            return attached.content_filter, uuid, title
        return (asked.content_filter, uuid, title) if self.may_see(caller, asked) else None

    def delete(self, caller: Caller, uuid: str) -> Answer:
        catalog = self.catalogs.get(uuid)
        if catalog is None:
            return NOT_FOUND
        if not (caller.sees_all or catalog.values["enterprise_customer"] in caller.customers):  # PERM-4
            return FORBIDDEN
        del self.catalogs[uuid]
        return 204, None

    def carried_out(self, row: Query, becomes: Query, replaced: Query | None) -> Query:
        if row not in self.queries:
            self.queries.append(row)
        vars(row).update(vars(becomes))
        if replaced:
            self.queries.remove(replaced)
            for catalog in self.catalogs.values():
                if catalog.query is replaced:
                    catalog.query = row
        return row

    def shown(self, caller: Caller, uuid: str) -> dict[str, Any]:
        catalog = self.catalogs[uuid]
        return {
            "uuid": uuid,
            "title": catalog.values["title"],
            "enterprise_customer": catalog.values["enterprise_customer"],
            "catalog_query_uuid": catalog.query.uuid,
            "query_title": self.title_for(caller, catalog.query),
        }


def new(content_filter: dict[str, str], uuid: str | None, title: str | None) -> tuple[Query, Query, None]:
    query = Query(content_filter, uuid, title, named=bool(uuid or title))
    return query, query, None


def renamed(query: Query, uuid: str | None, title: str | None, *, named: bool) -> Query:
    """Return the query with these names, where given. `named`: whether callers rely on its names already."""
    named = named or title is not None
    return replace(query, uuid=uuid or query.uuid, title=title or query.title, named=named)
