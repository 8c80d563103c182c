"""
Create an object for everything a path can name, of customer E, of E and another customer, and of nobody.

Requests about these objects are built here, too.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline.outcomes import publish_or_hold
from enterprise_catalog.testing.callers import CUSTOMER_UUID, OTHER_CUSTOMER_UUID
from enterprise_catalog.testing.catalogs import make_catalog
from enterprise_catalog.testing.documents import course_document, program_document
from enterprise_catalog.testing.runs import claimed, keys

NOWHERE = UUID("2b1d3c5e-0000-4000-8000-00000000dead")
# Names that cannot be an object's; a route must not depend on which of them comes.
MALFORMED = "not-a-uuid"
PROGRAM = "2b1d3c5e-0000-4000-8000-00000000beef"
# What of E's catalog has a full record.
RECORDS = [course_document(keys(1)[0]), {"uuid": PROGRAM}]
DETAILS = {"course_key": keys(1)[0], "run_key": f"course-v1:{keys(1)[0]}+1T", "program_uuid": PROGRAM}


@dataclass(frozen=True)
class World:
    own: EnterpriseCatalog
    shared: EnterpriseCatalog
    sharing: EnterpriseCatalog
    foreign: EnterpriseCatalog
    unused: CatalogQuery
    # What a path names, by what it begins with and what is asked about.
    names: dict[tuple[str, str], str]


def make_world() -> World:
    own = make_catalog(*keys(10), program_document(PROGRAM), title="own", records=RECORDS)
    shared = make_catalog("edX+shared", title="shared")
    sharing = make_catalog(customer=OTHER_CUSTOMER_UUID, query=shared.catalog_query, title="sharing")
    foreign = make_catalog("edX+foreign", customer=OTHER_CUSTOMER_UUID, title="foreign")
    left = make_catalog("edX+left")
    unused = left.catalog_query
    left.delete()
    runs = {query.pk: RefreshRun.objects.get(catalog_query_id=query.pk) for query in CatalogQuery.objects.all()}
    held = claimed(own.catalog_query)
    publish_or_hold(claim=held, content_keys=keys(1), counts={})
    queries = {"of-E": own.catalog_query, "of-both": shared.catalog_query, "of-nobody": unused}
    names = {
        ("enterprise-catalogs", "of-E"): str(own.uuid),
        ("enterprise-customer", "of-E"): str(CUSTOMER_UUID),
        ("content-metadata", "of-E"): keys(1)[0],
        ("content-metadata", "unknown"): "edX+unknown",
        ("catalog-queries", "of-E-by-id"): str(own.catalog_query_id),
        ("refresh-runs", "held"): str(held.run_uuid),
        ("enterprise_catalogs", "of-E"): str(own.uuid),
        ("enterprise_catalog_query", "of-E"): str(own.catalog_query_id),
        ("enterprise_catalog_query", "unknown"): str(2**31),
    }
    for case, query in queries.items():
        names["catalog-queries", case] = str(query.uuid)
        names["refresh-runs", case] = str(runs[query.pk].uuid)
        names["hash", case] = query.content_filter_hash
    names["hash", "unknown"] = "0" * 32
    names["hash", "malformed"] = MALFORMED
    return World(own=own, shared=shared, sharing=sharing, foreign=foreign, unused=unused, names=names)


def path_arguments(world: World, *, pattern: str, parameters: set[str], case: str) -> dict[str, str]:
    """Return the parameters of a route's path, without the format."""
    kind = pattern.partition("/")[0]
    if case in ("unknown", "malformed"):
        name = world.names.get((kind, case), str(NOWHERE) if case == "unknown" else MALFORMED)
    else:
        # Cases about bodies and contents are asked of what is E's.
        name = world.names.get((kind, case)) or world.names.get((kind, "of-E"), "")
    arguments = {"uuid": name, "identifier": name}
    if kind == "enterprise-customer":
        arguments["identifier"] = "edX+unknown" if case == "absent" else keys(1)[0]
    arguments |= dict.fromkeys(DETAILS, str(NOWHERE)) if case == "absent" else DETAILS
    return {parameter: value for parameter, value in arguments.items() if parameter in parameters}


CATALOG = {
    "title": "New",
    "enterprise_customer": str(CUSTOMER_UUID),
    "enterprise_customer_name": "Acme",
    "enabled_course_modes": [],
    "publish_audit_enrollment_urls": False,
    "content_filter": {"content_type": "program"},
}
PARAMETERS = {
    "catalog-contains": "course_run_ids=edX%2B000",
    "catalog-contains-as": "course_run_ids=edX%2B000",
    "customer-contains": "course_run_ids=edX%2B000",
    "customer-contains-as": "course_run_ids=edX%2B000",
    "catalog-diff": "content_keys=edX%2B000",
    "content-explanations": "content_key=edX%2B000",
}
BODIES: dict[tuple[str, str], Any] = {
    ("catalogs", "POST"): CATALOG,
    ("catalogs-as", "POST"): CATALOG,
    ("catalog", "PUT"): CATALOG,
    ("catalog-as", "PUT"): CATALOG,
    ("catalog-contains", "POST"): {"course_run_ids": []},
    ("catalog-contains-as", "POST"): {"course_run_ids": []},
    ("customer-contains", "POST"): {"course_run_ids": []},
    ("customer-contains-as", "POST"): {"course_run_ids": []},
    ("catalog-content-metadata", "POST"): {"content_keys": []},
    ("catalog-diff", "POST"): {"content_keys": []},
    ("customer-catalog", "POST"): {"title": "New", "enterprise_customer": str(CUSTOMER_UUID)},
    ("customer-catalog", "PATCH"): {"title": "Other"},
}


def ask(client: APIClient, method: str, path: str, *, route: str, case: str, world: World) -> Any:
    """Send a request that the route answers with success, unless the case says otherwise."""
    name = route.rpartition(":")[2]
    query = PARAMETERS.get(name, "")
    if name == "catalog-query-by-hash" and method in ("GET", "HEAD"):
        query = f"hash={world.names['hash', case]}"
    body = json.dumps(body_of(name, method, case, world))
    if case == "broken":
        body = "{"
    if method in ("GET", "HEAD", "OPTIONS", "TRACE"):
        body = ""
    return client.generic(method, path, body, content_type="application/json", QUERY_STRING=query)


def body_of(name: str, method: str, case: str, world: World) -> Any:
    body = BODIES.get((name, method), {})
    if case == "for-nobody":
        return {field: value for field, value in body.items() if field != "enterprise_customer"}
    if (name, method) == ("customer-catalog", "PATCH"):
        return body | {"uuid": {"unknown": str(NOWHERE), "malformed": MALFORMED}.get(case, str(world.own.uuid))}
    if case == "moved":
        return body | {"enterprise_customer": str(OTHER_CUSTOMER_UUID)}
    if case == "foreign":
        return {"catalog_uuids": [str(world.own.uuid), str(world.foreign.uuid)]}
    return body
