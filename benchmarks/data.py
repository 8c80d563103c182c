"""
Plan the data of a run: 400 catalogs of 200 customers on 150 queries, the same in every run.

The plan is a pure function of the keys that discovery has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID, uuid5

CUSTOMERS = 200
CATALOGS = 400
QUERIES = 150
# The customer with many catalogs, and how many.
CATALOGS_OF_ONE = 12

# Discovery's content. All catalogs but the largest choose from the first courses.
COURSES = 20_000
COMMON_COURSES = 5_500
PROGRAMS = 500

LARGEST, LARGE, HUNDRED = "20000", "5000", "100"
_THOUSANDS = 8
_NAMESPACE = UUID("5b0f2b1e-2c7e-4a35-9a57-0d3c4f1f6a10")


@dataclass(frozen=True)
class Query:
    title: str
    content_filter: dict[str, Any]


@dataclass(frozen=True)
class Catalog:
    uuid: str
    customer: str
    query: str


@dataclass(frozen=True)
class Plan:
    queries: tuple[Query, ...]
    catalogs: tuple[Catalog, ...]

    @property
    def customers(self) -> list[str]:
        return sorted({catalog.customer for catalog in self.catalogs})

    def catalog_on(self, title: str) -> Catalog:
        """Return the first catalog on this query."""
        return next(catalog for catalog in self.catalogs if catalog.query == title)

    def titles_of(self, customer: str) -> list[str]:
        return [catalog.query for catalog in self.catalogs if catalog.customer == customer]


def make_plan(*, courses: Sequence[str], programs: Sequence[str]) -> Plan:
    """`courses` are keys, `programs` uuids, both as many as this module says."""
    random = Random("benchmark")
    queries = _queries(random, courses[:COMMON_COURSES], programs)
    titles = [query.title for query in queries]
    # Each query has a catalog; the smaller ones have several.
    attached = titles + random.choices(titles[2:], k=CATALOGS - len(titles))
    owners = [0] * CATALOGS_OF_ONE + [1 + number % (CUSTOMERS - 1) for number in range(CATALOGS - CATALOGS_OF_ONE)]
    catalogs = tuple(
        Catalog(uuid=_uuid("catalog", number), customer=_uuid("customer", owner), query=title)
        for number, (title, owner) in enumerate(zip(attached, owners, strict=True))
    )
    return Plan(queries=queries, catalogs=catalogs)


def _queries(random: Random, courses: Sequence[str], programs: Sequence[str]) -> tuple[Query, ...]:
    """One of 20,000 members, one of 5,000, one of 100, a few of 1,000, and many of 50 to 200, some of course runs."""
    sizes = {LARGE: 5000, HUNDRED: 100} | {f"1000-{number}": 1000 for number in range(_THOUSANDS)}
    small = QUERIES - 1 - len(sizes)
    sizes |= {f"small-{number}": random.randint(50, 200) for number in range(small)}
    found = [Query(title=LARGEST, content_filter={"content_type": "course"})]
    for number, (title, size) in enumerate(sizes.items()):
        if title.startswith("small") and number % 10 == 0:
            # A course has three runs and a half on average.
            keys = [f"courserun:{key}" for key in random.sample(courses, size * 2 // 7)]
        else:
            few = size // 50
            keys = [f"course:{key}" for key in random.sample(courses, size - few)]
            keys += [f"program:{uuid}" for uuid in random.sample(programs, few)]
        found.append(Query(title=title, content_filter={"aggregation_key": sorted(keys)}))
    return tuple(found)


def _uuid(kind: str, number: int) -> str:
    return str(uuid5(_NAMESPACE, f"{kind}:{number}"))
