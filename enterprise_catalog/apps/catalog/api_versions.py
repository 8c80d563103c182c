"""Where the surfaces of the API differ in what they read; everything else about them is the same code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiVersion:
    """
    Columns that hold what a surface lists and counts, what it shows of a content, and what a query shows of it instead;
    and whether it shows restricted runs a filter allows (V2-3).
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
# The item of the legacy surface is the search document (LEG-7).
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
