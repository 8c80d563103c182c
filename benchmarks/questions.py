"""Make the requests that are measured: each kind in many variants, so that no answer is cached by the last one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode

from benchmarks.data import HUNDRED, LARGE, LARGEST, Plan
from benchmarks.floors import BARE, FRAMEWORK

HELD = "unchanged: "
_CATALOGS = "/api/v1/enterprise-catalogs"
_VARIANTS = 20
_KEYS_OF_MANY = 20


@dataclass(frozen=True)
class Question:
    """
    Requests of one kind.

    `floor` is the floor to compare with, or None if the kind has a target of its own. `catalog` is the one whose
    content is returned, or None. If `held` is true, the caller has the answer already and sends its ETag. Names of
    headers have underscores for hyphens.
    """

    name: str
    paths: tuple[str, ...]
    floor: str | None = FRAMEWORK
    catalog: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    held: bool = False


def make_questions(plan: Plan, members: Callable[[str], list[str]]) -> list[Question]:
    """Return the questions. `members(title)` returns the content keys that the query of this title lists, in order."""
    random = Random("questions")
    uuids = {title: plan.catalog_on(title).uuid for title in (HUNDRED, LARGE, LARGEST)}
    keys = {title: members(title) for title in uuids}
    twelve = plan.catalogs[0].customer
    single = next(customer for customer in plan.customers if len(plan.titles_of(customer)) == 1)
    foreign = sorted(set(keys[LARGEST]) - set(keys[LARGE]))

    def contains(kind: str, uuid: str, known: list[str], count: int, **more: str) -> tuple[str, ...]:
        """Ask about keys of which half are contained."""
        base = {"catalog": f"{_CATALOGS}/{uuid}", "customer": f"/api/v1/enterprise-customer/{uuid}"}[kind]
        asked = [random.sample(known if number % 2 else foreign, count) for number in range(_VARIANTS)]
        return tuple(
            f"{base}/contains_content_items/?{urlencode({'course_run_ids': some, **more}, doseq=True)}"
            for some in asked
        )

    def pages(title: str, size: int) -> tuple[str, ...]:
        full = max(1, len(keys[title]) // size)
        numbers = random.sample(range(1, full + 1), min(_VARIANTS, full))
        base = f"{_CATALOGS}/{uuids[title]}/get_content_metadata/"
        return tuple(f"{base}?page={number}&page_size={size}" for number in numbers)

    some = members(plan.titles_of(single)[0])
    questions = [
        Question(f"contains, catalog of {title}, 1 key", contains("catalog", uuid, keys[title], 1))
        for title, uuid in uuids.items()
    ]
    questions += [
        Question(
            f"contains, catalog of {LARGE}, {_KEYS_OF_MANY} keys",
            contains("catalog", uuids[LARGE], keys[LARGE], _KEYS_OF_MANY),
        ),
        Question("contains, customer with 1 catalog, 1 key", contains("customer", single, some, 1)),
        Question("contains, customer with 12 catalogs, 1 key", contains("customer", twelve, keys[LARGE], 1)),
        Question(
            f"contains, customer with 12 catalogs, {_KEYS_OF_MANY} keys and list",
            contains("customer", twelve, keys[LARGE], _KEYS_OF_MANY, get_catalog_list="true"),
        ),
    ]
    questions += [
        Question(f"page of {size}, catalog of {title}", pages(title, size), catalog=uuids[title])
        for size in (10, 100)
        for title in (HUNDRED, LARGE, LARGEST)
    ]
    gzip = {"Accept_Encoding": "gzip"}
    questions += [
        Question(f"page of {size}, catalog of {LARGE}, gzip", pages(LARGE, size), floor=None, headers=gzip)
        for size in (10, 100)
    ]
    questions += [
        Question(f"{HELD}page of 100, catalog of {LARGE}", pages(LARGE, 100), floor=None, held=True),
        Question("list of 100 catalogs", (f"{_CATALOGS}/?page_size=100",), floor=None),
        Question(f"one catalog of {LARGE}", (f"{_CATALOGS}/{uuids[LARGE]}/",)),
        Question(
            f"whole catalog of {LARGE}",
            (f"{_CATALOGS}/{uuids[LARGE]}/get_content_metadata/?traverse_pagination=true",),
            floor=BARE,
            catalog=uuids[LARGE],
        ),
    ]
    return questions


def catalog_path(uuid: str) -> str:
    return f"{_CATALOGS}/{uuid}/"


def page_path(plan: Plan, title: str, *, page: int, size: int) -> str:
    return f"{catalog_path(plan.catalog_on(title).uuid)}get_content_metadata/?page={page}&page_size={size}"


def whole_path(plan: Plan, title: str) -> str:
    return f"{catalog_path(plan.catalog_on(title).uuid)}get_content_metadata/?traverse_pagination=true"
