"""
Two customers with common queries use the service at random, and try what they must not (P8).

They know everything they could know of each other. What the other one sees never changes, no answer reveals data of the
other, and nobody gets a query whose filter they did not send, or restricted runs that they did not have.

An answer may hold what the caller sent, and what the caller's own catalogs and their queries consist of. It must not
hold the title of a query that the other one uses, too (CRUD-1).
"""

import json
import random
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import Q
from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogContentKey, CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID, client_for
from enterprise_catalog.testing.catalogs import CATALOGS, make_catalog, path_of, publish
from enterprise_catalog.testing.documents import course_document
from enterprise_catalog.testing.runs import make_query

pytestmark = pytest.mark.django_db

STEPS = 30
RESTRICTED = "restricted_runs_allowed"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET = re.compile(r"(?:acme|globex|nobody)-[a-z]+-[0-9]+")


@dataclass(frozen=True)
class Tenant:
    name: str
    customer: UUID
    client: APIClient

    def catalogs(self) -> list[EnterpriseCatalog]:
        catalogs = EnterpriseCatalog.objects.filter(enterprise_uuid=self.customer)
        return list(catalogs.select_related("catalog_query").order_by("created", "uuid"))

    def restricted(self) -> list[Any]:
        return [mapping for query in self.queries() if (mapping := query.content_filter.get(RESTRICTED))]

    def queries(self) -> list[CatalogQuery]:
        return list({catalog.catalog_query_id: catalog.catalog_query for catalog in self.catalogs()}.values())


class Play:
    """The two customers, and the random choices."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.numbers = 0
        self.tenants = [
            Tenant("acme", CUSTOMER_UUID, client_for("adam", f"enterprise_admin:{CUSTOMER_UUID}")),
            Tenant(
                "globex",
                OTHER_CUSTOMER_UUID,
                client_for(
                    "gloria", f"enterprise_admin:{OTHER_CUSTOMER_UUID}", f"enterprise_learner:{OTHER_CUSTOMER_UUID}"
                ),
            ),
        ]
        for number in range(3):
            query = self.published_query("shared", title=f"nobody-shared-{number}" if number else None)
            for tenant in self.tenants:
                self.add_catalog(tenant, query)
        for tenant in self.tenants:
            for title in (None, self.secret(tenant.name, "title")):
                self.add_catalog(tenant, self.published_query(tenant.name, title=title))
            # An operator allowed it restricted runs.
            self.add_catalog(tenant, self.published_query(tenant.name, title=None, **self.restricted(tenant)))
        self.published_query("nobody", title=self.secret("nobody", "title"))

    def secret(self, owner: str, what: str) -> str:
        self.numbers += 1
        return f"{owner}-{what}-{self.numbers}"

    def restricted(self, tenant: Tenant) -> dict[str, Any]:
        return {RESTRICTED: {f"edX+{self.secret(tenant.name, 'course')}": [self.secret(tenant.name, "run")]}}

    def published_query(self, owner: str, *, title: str | None, **further: Any) -> CatalogQuery:
        query = make_query({"key": [self.secret(owner, "filter")], **further})
        CatalogQuery.objects.filter(pk=query.pk).update(title=title, named=title is not None)
        publish(query, course_document(f"edX+{self.secret(owner, 'course')}"))
        return query

    def add_catalog(self, tenant: Tenant, query: CatalogQuery) -> None:
        title, name = self.secret(tenant.name, "catalog"), self.secret(tenant.name, "name")
        make_catalog(customer=tenant.customer, query=query, title=title, enterprise_name=name)

    # What a caller may think of

    def body(self, me: Tenant, other: Tenant, *, partial: bool) -> dict[str, Any]:
        body: dict[str, Any] = {
            "title": self.secret(me.name, "catalog"),
            "enterprise_customer": str(self.dice.choices([me.customer, other.customer], [9, 1])[0]),
            "enterprise_customer_name": self.secret(me.name, "name"),
            "enabled_course_modes": [],
            "publish_audit_enrollment_urls": self.dice.random() < 0.5,
            "content_filter": self.a_filter(me, other),
        }
        if partial:
            body = {field: value for field, value in body.items() if self.dice.random() < 0.4}
        if self.dice.random() < 0.7:
            body["catalog_query_uuid"] = self.a_query_uuid(me, other)
        if self.dice.random() < 0.5:
            body["query_title"] = self.dice.choice([None, self.secret(me.name, "title"), "nobody-shared-1"])
        return body

    def a_filter(self, me: Tenant, other: Tenant) -> dict[str, Any]:
        """Return a filter: new, own, or one that the other has, too, since filters are not secret (QRY-1)."""
        new = {"key": [self.secret(me.name, "filter")]}
        if self.dice.random() < 0.2:
            new |= self.restricted(me)
        mine, theirs = self.dice.choice(me.queries()), self.dice.choice(other.queries())
        return self.dice.choices([new, mine.content_filter, theirs.content_filter], [4, 3, 2])[0]

    def a_query_uuid(self, me: Tenant, other: Tenant) -> str | None:
        anybodys, mine = list(CatalogQuery.objects.order_by("pk")), me.queries()
        query = self.dice.choices(
            [None, CatalogQuery(), *mine, *anybodys], [4, 8] + [2] * len(mine) + [1] * len(anybodys)
        )
        return str(query[0].uuid) if query[0] else None

    def create(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        body = self.body(me, other, partial=False)
        taken = [catalog.uuid for catalog in me.catalogs() + other.catalogs()]
        if self.dice.random() < 0.3:
            body["uuid"] = str(self.dice.choice(taken))
        return "POST", CATALOGS, body

    def put(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        return "PUT", path_of(self.dice.choice(me.catalogs())), self.body(me, other, partial=False)

    def patch(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        return "PATCH", path_of(self.dice.choice(me.catalogs())), self.body(me, other, partial=True)

    def delete(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        catalogs = me.catalogs()
        return "DELETE", path_of(self.dice.choice(catalogs if len(catalogs) > 2 else other.catalogs())), None

    def refresh(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        return "POST", path_of(self.dice.choice(me.catalogs()), "refresh_metadata/"), None

    def read(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        mine = self.dice.choice(me.catalogs())
        query, run = self.dice.choice(me.queries()), self.dice.choice(self.runs_of(me))
        return (
            "GET",
            self.dice.choice(
                [
                    *(path_of(mine, action) for action in ("", "get_content_metadata/", "changes/", "export.csv")),
                    f"{CATALOGS}?enterprise_customer={other.customer}",
                    f"/api/v1/catalog-queries/{query.uuid}/",
                    f"/api/v1/catalog-queries/get_query_by_hash?hash={query.content_filter_hash}",
                    f"/api/v1/refresh-runs/{run.uuid}/",
                    "/api/v1/catalog-queries/",
                    CATALOGS,
                ]
            ),
            None,
        )

    def trespass(self, me: Tenant, other: Tenant) -> tuple[str, str, Any]:
        """Send requests that must be refused."""
        theirs = path_of(self.dice.choice(other.catalogs()))
        body = self.body(me, other, partial=False) | {"enterprise_customer": str(me.customer)}
        customer = f"/api/v1/enterprise-customer/{other.customer}/"
        filtered = {"content_keys": self.keys_of(other), "catalog_uuids": [str(other.catalogs()[0].uuid)]}
        hidden = [query for query in CatalogQuery.objects.order_by("pk") if query not in me.queries()]
        query = self.dice.choice(hidden) if hidden else CatalogQuery(uuid=uuid4(), content_filter_hash="0" * 32)
        runs = RefreshRun.objects.exclude(catalog_query_id__in=[query.pk for query in me.queries()]).order_by("pk")
        run = self.dice.choice(list(runs))
        return self.dice.choice(
            [
                ("GET", theirs, None),
                ("PUT", theirs, body),
                ("PATCH", theirs, {}),
                ("PATCH", theirs, {"enterprise_customer": str(me.customer)}),
                ("DELETE", theirs, None),
                ("POST", f"{theirs}refresh_metadata/", None),
                ("GET", f"{theirs}get_content_metadata/", None),
                ("GET", theirs.replace("v1", "v2") + "get_content_metadata/?traverse_pagination=true", None),
                ("POST", f"{theirs}contains_content_items/", {"course_run_ids": self.keys_of(other)}),
                ("POST", f"{theirs}generate_diff/", {"content_keys": []}),
                ("GET", f"{theirs}changes/", None),
                ("GET", f"{theirs}export.csv", None),
                ("POST", f"{customer}contains_content_items/", {"course_run_ids": self.keys_of(other)}),
                ("GET", f"{customer}content-metadata/{self.keys_of(other)[0]}/", None),
                ("POST", f"{customer}filter_content_items/", filtered),
                ("POST", CATALOGS, body | {"enterprise_customer": str(other.customer)}),
                ("PATCH", path_of(me.catalogs()[0]), {"enterprise_customer": str(other.customer)}),
                ("GET", f"/api/v1/catalog-queries/{query.uuid}/", None),
                ("GET", f"/api/v1/catalog-queries/{query.pk or 0}/", None),
                ("GET", f"/api/v1/catalog-queries/get_query_by_hash?hash={query.content_filter_hash}", None),
                ("GET", f"/api/v1/refresh-runs/{run.uuid}/", None),
                ("POST", f"/api/v1/refresh-runs/{self.dice.choice(self.runs_of(me)).uuid}/approve/", None),
                ("POST", f"/api/v1/refresh-runs/{run.uuid}/reject/", None),
                ("POST", "/api/v1/distinct-catalog-queries/", {"enterprise_catalog_uuids": []}),
            ]
        )

    def keys_of(self, tenant: Tenant) -> list[str]:
        members = CatalogContentKey.objects.filter(catalog_query__in=tenant.queries())
        return sorted(members.values_list("content_id", flat=True).distinct())

    def runs_of(self, tenant: Tenant) -> list[RefreshRun]:
        queries = tenant.queries()
        known = Q(catalog_query_id__in=[query.pk for query in queries])
        return list(RefreshRun.objects.filter(known).order_by("requested_at", "pk"))

    def a_refresh_ends(self) -> None:
        """Publish a refresh, which changes a query for all who use it."""
        query = self.dice.choice(list(CatalogQuery.objects.order_by("pk")))
        publish(query, *(course_document(f"edX+shared-course-{self.dice.randrange(100, 110)}") for _ in range(3)))

    # What came of it

    def owned(self, me: Tenant) -> str:
        """Return everything that a customer's catalogs consist of, as one text to search."""
        catalogs, queries = me.catalogs(), me.queries()
        parts: list[Any] = [
            [me.customer],
            [catalog.uuid for catalog in catalogs],
            [query.uuid for query in queries],
        ]
        parts += [[catalog.title, catalog.enterprise_name] for catalog in catalogs]
        parts += [query.content_filter for query in queries]
        parts += [query.title for query in queries if not query.catalogs.exclude(enterprise_uuid=me.customer).exists()]
        parts += [self.keys_of(me), [run.uuid for run in self.runs_of(me)]]
        return json.dumps(parts, default=str)


def view(me: Tenant, *, inside: EnterpriseCatalog) -> Any:
    """Return what a customer sees: its catalogs and queries, where content is, and one catalog's content."""

    def get(path: str) -> Any:
        response = me.client.get(path)
        assert response.status_code == 200, (path, response.content)
        return response.json()

    def listed(path: str, title: str) -> list[Any]:
        """Return the rows of a list without titles, which depend on who else uses the query (CRUD-1)."""
        return [{name: value for name, value in row.items() if name != title} for row in get(path)["results"]]

    # Of all content: which of it queries of others hold is no part of the view.
    keys = list(ContentMetadata.objects.order_by("content_key").values_list("content_key", flat=True))
    path = f"/api/v1/enterprise-customer/{me.customer}/contains_content_items/?match=any&get_catalog_list=true"
    return (
        listed(f"{CATALOGS}?page_size=100", "query_title"),
        listed("/api/v1/catalog-queries/?page_size=100", "title"),
        [query.title for query in me.queries()],
        [me.client.post(path, {"course_run_ids": [key]}).json() for key in keys[:: max(1, len(keys) // 3)]],
        get(path_of(inside, "get_content_metadata/?page_size=100")),
        get(path_of(inside, "changes/"))["results"],
    )


def told(response: Any) -> str:
    return (response.getvalue() if response.streaming else response.content).decode()


@pytest.mark.parametrize("seed", range(3))
def test_tenants_do_not_touch_each_other(seed):  # P8, QRY-3, QRY-6, QRY-7, CRUD-1, V2-1
    play = Play(seed)
    moves = [play.create, play.put, play.patch, play.delete, play.refresh, play.read, play.trespass]
    done = 0
    for step in range(STEPS):
        if play.dice.random() < 0.1:
            play.a_refresh_ends()
        me, other = play.dice.sample(play.tenants, 2)
        inside = play.dice.choice(other.catalogs())
        before = view(other, inside=inside)
        move = play.dice.choices(moves, [3, 4, 4, 1, 1, 2, 4])[0]
        method, path, body = move(me, other)
        asked = f"step {step}: {me.name} {method} {path} {json.dumps(body)}"
        known, mine, restricted = play.owned(me), me.queries(), me.restricted()
        response = me.client.generic(method, path, json.dumps(body or {}), content_type="application/json")
        answer = told(response)
        done += response.status_code < 300
        assert response.status_code < 500, (asked, answer)
        if move == play.trespass:
            assert response.status_code in (403, 404), (asked, response.status_code, answer)
        allowed = known + play.owned(me) + asked
        told_words = _UUID.findall(answer) + _SECRET.findall(answer)
        # What one had once is no secret to oneself.
        leaked = [word for word in told_words if word not in allowed and not word.startswith(f"{me.name}-")]
        assert not leaked, (asked, answer)
        assert view(other, inside=inside) == before, asked
        assert all(mapping in restricted for mapping in me.restricted()), asked
        gained = [query.content_filter for query in me.queries() if query not in mine]
        assert all(content_filter == (body or {}).get("content_filter") for content_filter in gained), asked
    assert done > STEPS / 4
