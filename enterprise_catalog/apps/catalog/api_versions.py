"""The columns that each API version reads; everything else about the versions is the same code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiVersion:
    """
    The names of what one API version reads.

    `visibility` is a field of memberships, and `visibility_column` its column. `count` is a column of queries.
    `document` is a column of documents, and `override` the column that replaces it for one query. If
    `shows_allowed_runs`, restricted runs that a filter allows are shown (V2-3).
    """

    name: str
    visibility: str
    visibility_column: str
    count: str
    document: str
    override: str
    shows_allowed_runs: bool


V1 = ApiVersion("v1", "visibility_v1", "standing_v1", "count_v1", "rendered", "rendered_v1", shows_allowed_runs=False)
V2 = ApiVersion("v2", "visibility_v2", "standing_v2", "count_v2", "rendered", "rendered_v2", shows_allowed_runs=True)
# The item of the legacy API is made of the search document (LEG-7).
LEGACY = ApiVersion(
    "legacy",
    "visibility_legacy",
    "standing_legacy",
    "count_legacy",
    "search_document",
    "search_document",
    shows_allowed_runs=False,
)
API_VERSIONS = (V1, V2, LEGACY)
