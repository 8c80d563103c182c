"""Where the surfaces of the API differ in what they read; everything else about them is the same code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Surface:
    """
    Columns that hold what a surface lists and counts, what it shows of a content, and what a query shows of it instead;
    and whether it shows restricted runs a filter allows (V2-3).
    """

    name: str
    standing: str
    count: str
    document: str
    override: str
    shows_allowed_runs: bool


V1 = Surface("v1", "standing_v1", "count_v1", "rendered", "rendered_v1", shows_allowed_runs=False)
V2 = Surface("v2", "standing_v2", "count_v2", "rendered", "rendered_v2", shows_allowed_runs=True)
# The item of the legacy surface is the search document (LEG-7).
LEGACY = Surface(
    "legacy", "standing_legacy", "count_legacy", "search_document", "search_document", shows_allowed_runs=False
)
SURFACES = (V1, V2, LEGACY)
