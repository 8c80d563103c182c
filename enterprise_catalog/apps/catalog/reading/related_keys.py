"""
Find the keys whose membership would make a key contained: itself, its runs, and the courses it is a run of (CONT-1).

The rules are those of `catalog.reading.containment`, seen from the key's side, without any query. What a query contains
is decided there alone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.models import AllowedRun, ContentMetadata, NestedRun
from enterprise_catalog.apps.core.fields import is_storable_key


@dataclass(frozen=True)
class RelatedKeys:
    """
    What is stored about a key.

    `visible` maps every key whose membership would make this one contained to whether v1 shows it there; v1 hides
    restricted runs (V2-2). `content` is the row of the key itself, if it has one. `restricted` is True for a run that
    v1 shows nowhere.
    """

    content: ContentMetadata | None = None
    runs: frozenset[str] = frozenset()
    courses: tuple[str, ...] = ()
    restricted: bool = False
    visible: dict[str, bool] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """True if a stored content has this key or names it."""
        return self.content is not None or len(self.visible) > 1


def get_related_keys(key: str) -> RelatedKeys:
    """Look up what is related to the key, known or not, in at most four statements on indexes."""
    if not key or not is_storable_key(key):
        return RelatedKeys()
    content = ContentMetadata.objects.filter(pk=key).first()
    runs = dict(ContentMetadata.objects.filter(parent_content_key=key).values_list("pk", "restricted"))
    courses = courses_of_runs([key], [content] if content else [])[key]
    # A run that only some filters allow is often stored nowhere else.
    allowed = AllowedRun.objects.filter(run_key=key).order_by("course_key").values_list("course_key", flat=True)
    for course in allowed.distinct():
        courses.setdefault(course, False)
    hidden = content.restricted if content else bool(courses)
    restricted = hidden and not any(courses.values())
    visible = {key: not (content.restricted if content else restricted)}
    visible |= {run: not run_restricted for run, run_restricted in runs.items()} | courses
    return RelatedKeys(
        content=content, runs=frozenset(runs), courses=tuple(courses), restricted=restricted, visible=visible
    )


def courses_of_runs(keys: Collection[str], contents: Iterable[ContentMetadata]) -> dict[str, dict[str, bool]]:
    """
    Find the courses of each key as a run, and whether v1 shows the run there (V2-2).

    The course that the run's own row in `contents` names comes first, stored or not. The courses that it is nested in
    follow, in key order.
    """
    courses: dict[str, dict[str, bool]] = {key: {} for key in keys}
    for content in contents:
        if content.parent_content_key:
            courses[content.content_key][content.parent_content_key] = not content.restricted
    nested = NestedRun.objects.filter(run_key__in=storable_keys(keys)).order_by("course_id")
    for run, course, restricted in nested.values_list("run_key", "course_id", "restricted"):
        courses[run][course] = courses[run].get(course, False) or not restricted
    return courses


def visible_contents() -> QuerySet[ContentMetadata]:
    """All contents in key order, without those that v1 hides from everybody (V2-2)."""
    return ContentMetadata.objects.filter(restricted=False).order_by("pk")


def storable_keys(identifiers: Collection[str]) -> list[str]:
    return [key for key in identifiers if is_storable_key(key)]
