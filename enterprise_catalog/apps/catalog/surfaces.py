"""Where the surfaces of the API differ in what they read; everything else about them is the same code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Surface:
    """
    Columns that hold what a surface lists, counts and shows, and whether it shows restricted runs a filter allows
    (V2-3).
    """

    name: str
    standing: str
    count: str
    override: str
    shows_allowed_runs: bool


V1 = Surface("v1", "standing_v1", "count_v1", "rendered_v1", shows_allowed_runs=False)
V2 = Surface("v2", "standing_v2", "count_v2", "rendered_v2", shows_allowed_runs=True)
