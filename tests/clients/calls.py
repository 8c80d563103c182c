"""
Every call that today's clients make: what they send, which fields they read, and what an error does there.

`python -m tests.clients.calls` writes the table into docs/contract/clients.rst. test_calls.py makes each call with
`OAuthAPIClient` against the running service and reads each field; test_page.py compares the page with the table.

Names in braces stand for values of the test's catalog, such as `{catalog}`, the uuid of a published catalog.
"""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contract" / "clients.rst"
# The table stands between these lines of the page.
HEADING = "Each call\n---------\n"
NEXT_HEADING = "How the LMS keeps in step\n"
WIDTH = 128

# Whose token a call carries.
OPERATOR = "operator"
CUSTOMER_ADMIN = "admin of the customer"
CATALOG_ADMIN = "catalog admin of the customer"
LEARNER = "learner of the customer"
ANYBODY = "anybody"

# What an error does at the client.
RAISED = "raised to its caller"
NOT_YET_THERE = "logged and read as an empty answer: the catalog is not there yet, and a POST follows"
SWALLOWED = "logged and read as an empty answer; the next save repeats the call"
NOT_REFRESHED = "logged; the catalog is listed among those that were not refreshed"
GONE = "404 is success; others are logged and the catalog stays"
NO_CONTENT = "logged and read as an empty answer: there is no such content"
NO_EXPORT = "raised: this export ends, and nothing is sent to the customer's learning system"
DELETES = (
    "raised, and this export ends; but a 200 that finds none of the keys is an order to delete them all in the"
    " customer's learning system (DIFF-1)"
)
UNIQUE = "404 means that no other query has the filter; others are raised"
SHOWN = "shown as an error; 404 is shown as content or a catalog that does not exist"
CHECKED = "raised; the learner cannot use the license, code or budget until the next try"

# What may stand in a field that a client reads. A name with `?` may be null there, too.
NULL = type(None)
TYPES: dict[str, tuple[type, ...]] = {
    name: types
    for types, names in (
        (
            (str,),
            "aggregation_key async_task_id availability catalog_query_uuid content_filter_hash content_key"
            " content_last_modified content_type date_updated enrollment_url enterprise_customer key mode"
            " overall_status pacing_type slug status title uuid variant_id",
        ),
        (
            (str, NULL),
            "card_image_url course_ends end end_date enroll_by_date enrollment_end enrollment_start full_description"
            " go_live_date image_url level_type modified name next previous query_title short_description start"
            " start_date type",
        ),
        ((bool,), "active contains_content_items is_enrollable is_marketable"),
        ((int,), "count enterprise_catalog_query id num_distinct_query_ids"),
        ((int, float), "content_price"),
        (
            (int, float, NULL),
            "estimated_hours first_enrollable_paid_seat_price max_effort min_effort weeks_to_complete",
        ),
        # Discovery sends prices of entitlements as text.
        ((str, int, float), "price"),
        (
            (list,),
            "catalog_list course_runs entitlements filtered_content_keys items_found items_not_found"
            " items_not_included results seats",
        ),
        ((list, NULL), "languages organizations owners seat_types skill_names skills subjects"),
        ((dict,), "catalog_uuids_by_catalog_query_id content_filter normalized_metadata_by_run"),
        ((dict, NULL), "additional_metadata normalized_metadata product_source video"),
    )
    for name in names.split()
}


@dataclass(frozen=True, kw_only=True)
class Call:
    """
    One call. `reads` maps where fields stand to their names: `results[]` is every element of a list, `results[course]`
    those of this content type, and the empty text the answer itself. `answer` is the type of an answer without fields.
    """

    consumer: str
    rule: str
    path: str
    on_error: str
    method: str = "GET"
    caller: str = OPERATOR
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    form: Any = None
    accept: str | None = None
    status: int = 200
    reads: Mapping[str, str] = field(default_factory=dict)
    answer: type = dict
    # Fields with the value that they must have.
    gives: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        query = "&".join(pairs(self.params))
        return f"{self.consumer}: {self.method} {self.path}{'?' if query else ''}{query}"


V1, V2, LEGACY = "/api/v1/", "/api/v2/", "/enterprise/api/v1/"
WRITTEN = {
    "title": "Written by a client",
    "enterprise_customer": "{other_customer}",
    "enterprise_customer_name": "Bright University",
    "content_filter": "{content_filter}",
    "enabled_course_modes": ["verified", "professional"],
    "publish_audit_enrollment_urls": False,
}
PAGED = {"": "count next previous results"}
CATALOG = "uuid title enterprise_customer"
RUN = (
    "key start end enrollment_start enrollment_end availability pacing_type status is_enrollable min_effort max_effort"
    " weeks_to_complete estimated_hours first_enrollable_paid_seat_price"
)
EXPORTED = {
    "results[]": "content_type title content_last_modified",
    "results[course]": "key uuid enrollment_url full_description short_description image_url card_image_url course_runs"
    " languages organizations subjects owners level_type video",
    "results[course].course_runs[]": f"{RUN} is_marketable seats",
    "results[courserun]": "key enrollment_url start end first_enrollable_paid_seat_price",
    "results[program]": "uuid",
}
PRICED = {
    "": "key uuid content_type title course_runs entitlements product_source additional_metadata normalized_metadata"
    " normalized_metadata_by_run",
    "product_source": "name slug",
    "course_runs[]": "key uuid",
    "normalized_metadata": "content_price start_date end_date enroll_by_date",
    "normalized_metadata_by_run.{}": "content_price start_date end_date enroll_by_date",
}

CALLS = (
    # edx-enterprise in the LMS
    Call(
        consumer="edx-enterprise",
        rule="CLI-1",
        path=V1 + "enterprise-catalogs/{catalog}/",
        reads={"": "uuid"},
        on_error=NOT_YET_THERE,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-1",
        method="POST",
        path=V1 + "enterprise-catalogs/",
        body=WRITTEN | {"uuid": "{new_uuid}", "catalog_query_uuid": None, "query_title": None},
        status=201,
        reads={"": "uuid"},
        on_error=SWALLOWED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-1",
        method="PUT",
        path=V1 + "enterprise-catalogs/{spare}/",
        body=WRITTEN,
        reads={"": "uuid"},
        on_error=SWALLOWED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-1",
        method="POST",
        path=V1 + "enterprise-catalogs/{spare}/refresh_metadata/",
        reads={"": "async_task_id"},
        on_error=NOT_REFRESHED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-2",
        method="DELETE",
        path=V1 + "enterprise-catalogs/{spare}/",
        status=204,
        on_error=GONE,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-4",
        path=V1 + "enterprise-catalogs/{catalog}/get_content_metadata/",
        reads={"": "count"},
        on_error=RAISED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-6",
        caller=LEARNER,
        path=V1 + "enterprise-catalogs/{catalog}/contains_content_items/",
        params={"course_run_ids": ["{run}", "{course}", "{program}"]},
        reads={"": "contains_content_items"},
        gives={"contains_content_items": True},
        on_error=RAISED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-6",
        caller=LEARNER,
        path=V1 + "enterprise-customer/{customer}/contains_content_items/",
        params={"course_run_ids": ["{run}"], "get_catalogs_containing_specified_content_ids": True},
        reads={"": "contains_content_items catalog_list"},
        gives={"contains_content_items": True, "catalog_list": ["{catalog}"]},
        on_error=RAISED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-7",
        path=V1 + "enterprise-customer/{customer}/content-metadata/{course}/",
        reads={"": "key title enrollment_url"},
        on_error=NO_CONTENT,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-7",
        path=V1 + "content-metadata/{run}",
        params={"coerce_to_parent_course": True},
        gives={"key": "{course}"},
        reads={"": "key uuid content_type title course_runs", "course_runs[]": "key"},
        on_error=NO_CONTENT,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-8",
        path=V1 + "catalog-queries/get_content_filter_hash",
        form={"content_type": "course"},
        answer=str,
        on_error=RAISED,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-8",
        path=V1 + "catalog-queries/get_query_by_hash",
        params={"hash": "{hash}"},
        reads={"": "uuid title? content_filter"},
        on_error=UNIQUE,
    ),
    Call(
        consumer="edx-enterprise",
        rule="CLI-9",
        path=V1 + "enterprise-catalogs/{catalog}/get_content_metadata",
        accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        answer=bytes,
        on_error=SHOWN,
    ),
    Call(
        consumer="edx-enterprise",
        rule="SURF-3",
        caller=ANYBODY,
        path="/health",
        reads={"": "overall_status"},
        on_error=RAISED,
    ),
    # Its integrated channels
    Call(
        consumer="integrated channels",
        rule="CLI-3",
        path=V1 + "enterprise-catalogs/{catalog}/get_content_metadata/",
        params={"page_size": 50, "content_keys": "{fifty_keys}"},
        reads={"": "next results", **EXPORTED},
        on_error=NO_EXPORT,
    ),
    Call(
        consumer="integrated channels",
        rule="CLI-5",
        method="POST",
        path=V1 + "enterprise-catalogs/{catalog}/generate_diff/",
        body={"content_keys": ["{course}", "{unknown_key}"]},
        reads={
            "": "items_not_found items_not_included items_found",
            "items_not_found[]": "content_key",
            "items_not_included[]": "content_key",
            "items_found[]": "content_key date_updated",
        },
        on_error=DELETES,
    ),
    # ecommerce
    Call(
        consumer="ecommerce",
        rule="CLI-10",
        path=V1 + "enterprise-catalogs/{catalog}/contains_content_items/",
        params={"course_run_ids": ["{run}"]},
        reads={"": "contains_content_items"},
        gives={"contains_content_items": True},
        on_error=CHECKED,
    ),
    Call(
        consumer="ecommerce",
        rule="CLI-10",
        path=V1 + "enterprise-customer/{customer}/contains_content_items/",
        params={"course_run_ids": ["{run}"], "get_catalog_list": True},
        reads={"": "contains_content_items catalog_list"},
        gives={"contains_content_items": True, "catalog_list": ["{catalog}"]},
        on_error=CHECKED,
    ),
    Call(
        consumer="ecommerce",
        rule="CLI-10",
        path=LEGACY + "enterprise_catalogs/",
        params={"enterprise_customer": "{customer}"},
        reads=PAGED | {"results[]": CATALOG},
        on_error=SHOWN,
    ),
    Call(
        consumer="ecommerce",
        rule="CLI-10",
        path=LEGACY + "enterprise_catalogs/{catalog}/",
        params={"page_size": 50, "page": 1},
        reads=PAGED | {"results[]": "content_type title", "results[course]": "key enrollment_url"},
        on_error=SHOWN,
    ),
    # license-manager
    Call(
        consumer="license-manager",
        rule="CLI-11",
        path=V1 + "enterprise-catalogs/{catalog}/contains_content_items/",
        params={"course_run_ids": ["{run}"]},
        reads={"": "contains_content_items"},
        gives={"contains_content_items": True},
        on_error=CHECKED + "; releases before it raised read any error as false",
    ),
    Call(
        consumer="license-manager",
        rule="CLI-11",
        path=V1 + "enterprise-catalogs/{catalog}",
        reads={"": "enterprise_customer"},
        gives={"enterprise_customer": "{customer}"},
        on_error=RAISED,
    ),
    Call(
        consumer="license-manager",
        rule="CLI-11",
        method="POST",
        path=V1 + "distinct-catalog-queries/",
        body={"enterprise_catalog_uuids": ["{catalog}"]},
        reads={"": "num_distinct_query_ids catalog_uuids_by_catalog_query_id"},
        on_error=RAISED,
    ),
    # enterprise-access
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V2 + "enterprise-catalogs/{catalog}/contains_content_items/",
        params={"course_run_ids": ["{course}"]},
        reads={"": "contains_content_items"},
        gives={"contains_content_items": True},
        on_error="tried again, then " + CHECKED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V2 + "enterprise-catalogs/{catalog}/get_content_metadata/",
        params={"content_keys": "{hundred_keys}", "traverse_pagination": True},
        reads={
            "": "count next results",
            "results[]": "content_type title",
            "results[course]": "key course_runs normalized_metadata normalized_metadata_by_run entitlements owners"
            " product_source card_image_url",
            "results[course].course_runs[]": "key uuid start end",
        },
        on_error="tried again, then " + RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V2 + "enterprise-catalogs/{catalog}/get_content_metadata/",
        reads={"": "count"},
        on_error="tried again, then " + RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V1 + "content-metadata/{course}",
        reads={"": "key uuid title content_type course_runs normalized_metadata"},
        on_error="tried again, then " + RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V1 + "content-metadata/{run}",
        params={"coerce_to_parent_course": True},
        gives={"key": "{course}"},
        reads={"": "key uuid title content_type course_runs normalized_metadata_by_run"},
        on_error="tried again, then " + RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V1 + "catalog-queries/{query}/",
        reads={"": "uuid title? content_filter content_filter_hash"},
        on_error=RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=LEGACY + "enterprise_catalogs/",
        params={"enterprise_customer": "{customer}", "enterprise_catalog_query": "{query_id}"},
        reads={"": "results", "results[]": CATALOG + " enterprise_catalog_query"},
        on_error=RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        method="POST",
        path=LEGACY + "enterprise_customer_catalog/",
        body={
            "enterprise_customer": "{third_customer}",
            "title": "Bought",
            "enterprise_catalog_query": "{spare_query_id}",
        },
        status=201,
        reads={"": "uuid"},
        on_error=RAISED + ": the purchase stays open and is tried again",
    ),
    # enterprise-subsidy
    Call(
        consumer="enterprise-subsidy",
        rule="CLI-14",
        path=V2 + "enterprise-customer/{customer}/content-metadata/{course}/",
        params={"skip_customer_fetch": True},
        reads=PRICED,
        on_error="raised; 404 is handed on as 404: the content has no price and cannot be redeemed",
    ),
    Call(
        consumer="enterprise-subsidy",
        rule="CLI-14",
        path=V2 + "enterprise-customer/{customer}/content-metadata/{exec_ed_course}/",
        params={"skip_customer_fetch": True},
        reads=PRICED | {"entitlements[]": "mode price", "additional_metadata": "variant_id"},
        on_error="raised; 404 is handed on as 404: the content has no price and cannot be redeemed",
    ),
    Call(
        consumer="enterprise-subsidy",
        rule="CLI-14",
        path=V1 + "content-metadata/",
        params={"content_identifiers": ["{course}"]},
        reads={"": "results", "results[]": "aggregation_key key content_type"},
        on_error=RAISED,
    ),
    # edx-enterprise-data
    Call(
        consumer="edx-enterprise-data reporting",
        rule="CLI-15",
        path=V1 + "enterprise-catalogs/",
        params={"enterprise_customer": "{customer}", "page_size": 1000},
        reads={"": "next results", "results[]": "uuid"},
        on_error=RAISED + ": this customer's report is not sent",
    ),
    Call(
        consumer="edx-enterprise-data reporting",
        rule="CLI-15",
        path=V1 + "enterprise-catalogs/{catalog}/get_content_metadata",
        params={"page_size": 1000},
        reads={
            "": "next results",
            "results[]": "content_type aggregation_key title",
            "results[course]": "key uuid active card_image_url course_ends course_runs end_date enrollment_url"
            " full_description image_url languages organizations seat_types short_description skill_names skills"
            " subjects",
            "results[course].subjects[]": "name",
            "results[course].course_runs[]": f"{RUN} go_live_date modified type",
        },
        on_error=RAISED + ": this customer's report is not sent",
    ),
    # support-tools
    Call(
        consumer="frontend-app-support-tools",
        rule="CLI-15",
        path=LEGACY + "enterprise_catalog_query/",
        reads={"": "results", "results[]": "id uuid title?"},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-support-tools",
        rule="CLI-15",
        path=LEGACY + "enterprise_catalogs/",
        params={"uuid": "{catalog}"},
        reads={"": "results", "results[]": CATALOG + " enterprise_catalog_query"},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-support-tools",
        rule="CLI-15",
        method="POST",
        path=LEGACY + "enterprise_customer_catalog/",
        body={
            "enterprise_customer": "{third_customer}",
            "title": "Made",
            "enterprise_catalog_query": "{spare_query_id}",
        },
        status=201,
        reads={"": "uuid"},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-support-tools",
        rule="CLI-15",
        method="PATCH",
        path=LEGACY + "enterprise_customer_catalog/",
        body={"uuid": "{spare}", "title": "Renamed", "enterprise_catalog_query": "{spare_query_id}"},
        reads={"": "uuid"},
        on_error=SHOWN,
    ),
    # The portals
    Call(
        consumer="frontend-app-learner-portal-enterprise",
        rule="CLI-15",
        caller=LEARNER,
        path=V1 + "enterprise-customer/{customer}/contains_content_items/",
        params={"course_run_ids": "{course}", "get_catalogs_containing_specified_content_ids": "true"},
        reads={"": "contains_content_items catalog_list"},
        gives={"contains_content_items": True, "catalog_list": ["{catalog}"]},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-learner-portal-enterprise",
        rule="CLI-15",
        caller=LEARNER,
        path=V1 + "enterprise-customer/{customer}/content-metadata/{course}/",
        reads={
            "": "key uuid title full_description short_description course_runs owners subjects entitlements level_type"
            " normalized_metadata normalized_metadata_by_run",
            "course_runs[]": f"{RUN} uuid seats",
        },
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-learner-portal-enterprise",
        rule="CLI-15",
        caller=LEARNER,
        method="POST",
        path=V1 + "enterprise-customer/{customer}/filter_content_items/",
        body={"content_keys": ["{course}", "{unknown_key}"]},
        reads={"": "filtered_content_keys"},
        gives={"filtered_content_keys": ["{course}"]},
        on_error="logged; no recommendations are shown",
    ),
    Call(
        consumer="frontend-app-admin-portal",
        rule="CLI-15",
        caller=CUSTOMER_ADMIN,
        path=V1 + "enterprise-catalogs/",
        params={"enterprise_customer": "{customer}"},
        reads={"": "count results", "results[]": "uuid title query_title catalog_query_uuid"},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-admin-portal",
        rule="CLI-15",
        caller=CUSTOMER_ADMIN,
        path=V1 + "enterprise-customer/{customer}/contains_content_items/",
        params={"get_catalogs_containing_specified_content_ids": "true", "course_run_ids": "{course}"},
        reads={"": "contains_content_items catalog_list"},
        gives={"contains_content_items": True, "catalog_list": ["{catalog}"]},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-admin-portal",
        rule="CLI-15",
        caller=CUSTOMER_ADMIN,
        path=V1 + "enterprise-catalogs/{catalog}/get_content_metadata/",
        reads={"": "count results", "results[]": "content_type title"},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-admin-portal",
        rule="CLI-15",
        caller=CUSTOMER_ADMIN,
        path=V2 + "enterprise-catalogs/{catalog}/contains_content_items/",
        params={"course_run_ids": "{course}"},
        reads={"": "contains_content_items"},
        gives={"contains_content_items": True},
        on_error=SHOWN,
    ),
    # Customers' own systems, behind a gateway
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=LEGACY + "enterprise_catalogs/",
        reads=PAGED | {"results[]": CATALOG},
        on_error=RAISED,
    ),
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=LEGACY + "enterprise_catalogs/{catalog}/",
        params={"page": 1, "page_size": 100},
        reads=PAGED | {"results[]": "content_type title enrollment_url", "results[course]": "key"},
        on_error=RAISED,
    ),
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=LEGACY + "enterprise_catalogs/{catalog}/courses/{course}/",
        reads={"": "key title enrollment_url course_runs", "course_runs[]": "key enrollment_url"},
        on_error=RAISED,
    ),
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=LEGACY + "enterprise_catalogs/{catalog}/course_runs/{run}/",
        reads={"": "key title enrollment_url start end"},
        on_error=RAISED,
    ),
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=LEGACY + "enterprise_catalogs/{catalog}/programs/{program}/",
        reads={"": "uuid title enrollment_url"},
        on_error=RAISED,
    ),
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=V1 + "enterprise-catalogs/",
        params={"page": 1, "page_size": 100},
        reads=PAGED | {"results[]": CATALOG},
        on_error=RAISED,
    ),
    Call(
        consumer="customers' gateways",
        rule="CLI-13",
        caller=CATALOG_ADMIN,
        path=V1 + "enterprise-catalogs/{catalog}/get_content_metadata/",
        params={"page": 1, "page_size": 100},
        reads=PAGED | {"results[]": "content_type title", "results[course]": "key enrollment_url course_runs"},
        on_error=RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V2 + "enterprise-catalogs/",
        params={"enterprise_customer": "{customer}"},
        reads={"": "results", "results[]": CATALOG + " catalog_query_uuid"},
        on_error="tried again, then " + RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V2 + "enterprise-catalogs/{catalog}/",
        reads={"": CATALOG + " catalog_query_uuid"},
        gives={"uuid": "{catalog}"},
        on_error="tried again, then " + RAISED,
    ),
    Call(
        consumer="enterprise-access",
        rule="CLI-12",
        path=V1 + "catalog-queries/{query}",
        reads={"": "id uuid"},
        gives={"id": "{query_id}"},
        on_error=RAISED,
    ),
    Call(
        consumer="enterprise-subsidy",
        rule="CLI-14",
        path=V2 + "enterprise-customer/{customer}/content-metadata/{exec_ed_run}/",
        params={"skip_customer_fetch": True},
        reads=PRICED | {"entitlements[]": "mode price", "additional_metadata": "variant_id"},
        gives={"key": "{exec_ed_course}", "content_type": "course"},
        on_error="raised; 404 is handed on as 404: the content has no price and cannot be redeemed",
    ),
    Call(
        consumer="enterprise-subsidy",
        rule="CLI-14",
        path=V1 + "content-metadata/",
        params={"content_identifiers": ["{course_uuid_without_hyphens}"]},
        reads={"": "results", "results[]": "aggregation_key key content_type"},
        gives={"count": 1},
        on_error=RAISED,
    ),
    Call(
        consumer="frontend-app-admin-portal",
        rule="CLI-15",
        caller=CUSTOMER_ADMIN,
        path=V1 + "enterprise-customer/{customer}/contains_content_items/",
        params={"get_catalogs_containing_specified_content_ids": "true", "course_run_ids": "{unknown_key},{course}"},
        reads={"": "contains_content_items catalog_list"},
        gives={"contains_content_items": True, "catalog_list": ["{catalog}"]},
        on_error=SHOWN,
    ),
    Call(
        consumer="frontend-app-learner-portal-enterprise",
        rule="CLI-15",
        caller=LEARNER,
        method="POST",
        path=V1 + "enterprise-customer/{customer}/filter_content_items/",
        body={"content_keys": ["{course}", "{unknown_key}"], "catalog_uuids": ["{catalog}", "{new_uuid}"]},
        reads={"": "filtered_content_keys"},
        gives={"filtered_content_keys": ["{course}"]},
        on_error="logged; no recommendations are shown",
    ),
)


def section() -> str:
    """Return the section of the page that holds the table, in reStructuredText."""
    lines = [
        HEADING,
        *wrapped(
            "What each client sends, which fields it reads, and what an error does there. ``results[course]`` are the"
            " elements of ``results`` with this content type. ``tests/clients/test_calls.py`` makes each call with the"
            " ``OAuthAPIClient`` of ``edx-rest-api-client`` and reads each field. A name with ``?`` may be null there."
            " ``python -m tests.clients.calls`` writes this section.",
            "",
        ),
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 16 30 34 20",
        "",
        *cells("Client, and its token", "Call", "Fields read", "An error is"),
    ]
    for call in CALLS:
        lines += cells(f"{call.consumer} ({call.rule}), {call.caller}", sent(call), read(call), call.on_error)
    return "\n".join(lines) + "\n\n"


def cells(*texts: str) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from wrapped(text, "   * - " if number == 0 else "     - ")


def wrapped(text: str, start: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def sent(call: Call) -> str:
    values = {
        "parameters": [f"``{pair}``" for pair in pairs(call.params)],
        "form": [f"``{pair}``" for pair in pairs(call.form or {})],
        "body": [f"``{name}``" for name in call.body or ()],
        "header": ["``Accept`` of a browser"] if call.accept else [],
    }
    parts = [f"{name} {', '.join(found)}" for name, found in values.items() if found]
    return "; ".join([f"{call.method} ``{call.path}``", *parts]) + (f": {call.status}" if call.status != 200 else "")


def pairs(values: Mapping[str, Any]) -> list[str]:
    """Return what is sent as in a query string; a list repeats its name."""
    return [
        f"{name}={value}" for name, found in values.items() for value in (found if isinstance(found, list) else [found])
    ]


def read(call: Call) -> str:
    if not call.reads:
        if call.answer is str:
            return "the answer, a text"
        return "the page, as XML" if call.answer is bytes else "nothing"
    names = (
        f"``{where}{'.' if where else ''}{name}``" for where, fields in call.reads.items() for name in fields.split()
    )
    return ", ".join(names)


def with_section(page: str) -> str:
    """Return the page with the section as it should be."""
    before, found, rest = page.partition(HEADING)
    if not found:
        before, found, rest = page.partition(NEXT_HEADING)
        return before + section() + found + rest
    return before + section() + NEXT_HEADING + rest.partition(NEXT_HEADING)[2]


if __name__ == "__main__":
    PAGE.write_text(with_section(PAGE.read_text()))
