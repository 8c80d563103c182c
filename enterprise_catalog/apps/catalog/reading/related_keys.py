"""
What would have to be a member for a key to be contained (CONT-1): itself, its runs, or the courses it is a run of.

The same rules as `catalog.reading.containment`, asked from the other side: there what members there are, here what
they could be. It never says what is contained.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet

from enterprise_catalog.apps.catalog.models import AllowedRun, ContentMetadata, NestedRun
from enterprise_catalog.apps.core.fields import is_storable_key


@dataclass(frozen=True)
class RelatedKeys:
    """
    `visible` has every key that would carry the asked one into a query, with whether v1 would see it there: a
    restricted run is hidden (V2-2). `content` is the asked one's own row, if it has one. `restricted`: it is a run that
    v1 shows nowhere.
    """

    content: ContentMetadata | None = None
    runs: frozenset[str] = frozenset()
    courses: tuple[str, ...] = ()
    restricted: bool = False
    visible: dict[str, bool] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Something that is stored has this key, or names it."""
        return self.content is not None or len(self.visible) > 1


def get_related_keys(key: str) -> RelatedKeys:
    """Four statements at most, on indexes."""
    if not key or not is_storable_key(key):
        return RelatedKeys()
    content = ContentMetadata.objects.filter(pk=key).first()
    runs = dict(ContentMetadata.objects.filter(parent_content_key=key).values_list("pk", "restricted"))
    nested = dict(NestedRun.objects.filter(run_key=key).order_by("course_id").values_list("course_id", "restricted"))
    # Of a run that only some filters allow, often nothing else is stored.
    allowed = AllowedRun.objects.filter(run_key=key).order_by("course_key").values_list("course_key", flat=True)
    nested = dict.fromkeys(allowed.distinct(), True) | nested
    said = [*nested.values(), *([content.restricted] if content is not None else [])]
    restricted = bool(said) and all(said)
    visible = {key: not (restricted if content is None else content.restricted)}
    visible |= {run: not restricted for run, restricted in runs.items()}
    visible |= {course: not restricted for course, restricted in nested.items()}
    courses = list(nested)
    if content is not None and content.parent_content_key:
        parent = content.parent_content_key
        visible[parent] = visible.get(parent, False) or not content.restricted
        # The course it names itself comes first.
        courses = [parent, *(course for course in courses if course != parent)]
    return RelatedKeys(
        content=content, runs=frozenset(runs), courses=tuple(courses), restricted=restricted, visible=visible
    )


def visible_contents() -> QuerySet[ContentMetadata]:
    """What v1 hides from everybody is not found (V2-2)."""
    return ContentMetadata.objects.filter(restricted=False).order_by("pk")


def storable_keys(identifiers: Collection[str]) -> list[str]:
    return [key for key in identifiers if is_storable_key(key)]


def courses_of_runs(runs: Mapping[str, str | None]) -> dict[str, str]:
    """
    The stored course of each run, given with the course it names itself, if it is known: that one, else the first that
    it appears in. Other keys are in no course.
    """
    nested = NestedRun.objects.filter(run_key__in=storable_keys(runs), restricted=False)
    courses = dict(nested.order_by("-course_id").values_list("run_key", "course_id"))
    named = {parent for parent in runs.values() if parent}
    stored = set(
        visible_contents()
        .filter(pk__in=named, content_type=ContentMetadata.ContentType.COURSE)
        .values_list("pk", flat=True)
    )
    return courses | {run: parent for run, parent in runs.items() if parent in stored}
