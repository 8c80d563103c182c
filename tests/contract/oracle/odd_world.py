"""
Make worlds as odd as discovery may be, by random changes of recorded samples. A seed always makes the same world.

Each list of values below has what real answers hold, and what has broken a client before.
"""

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any
from uuid import UUID

from tests.contract.oracle.world import B2B, EXEC_ED, EXEC_ED_MODE, UNREADABLE_PRICE, Catalog, Item, World, runs_of
from tests.samples import sample

KEYS = [
    "edX+DemoX", "edx+demox", "EDX+DEMOX", "edX+DemoX.1", "MITx/6.00x", "UniversitéX+Été", "Universite\u0301X+Ete",
    "数学+101", "123456", "edX+Demo_X", "edX+Demo%X", "ßX+Strasse", "ssX+Strasse", "edX+data.json", "edX+A&B=C",
    "edX+Emoji\U0001f393", "edX+a?b#c", "x" * 230 + "+LongX", *(f"Org{number}X+C{number}" for number in range(20)),
]  # fmt: skip
DATES = [
    None, "2019-01-01T00:00:00Z", "2024-02-05T05:00:00", "2024-02-05T05:00:00.123456Z", "2098-01-31T00:00:00Z",
    "2098-01-31T00:00:00", "9999-12-31T23:59:59Z", "2097-06-01T12:00:00+02:00", "2097-06-01T11:00:00Z",
]  # fmt: skip
PRICES = [None, 0, 49, 49.5, "50.00", "0.00", "249", 0.0, "", 1999.99, UNREADABLE_PRICE]
SOURCES = [
    None, "", "edx", "2u", "2U", "EdX", {"name": "edX", "slug": "edx", "description": None}, {}, {"slug": None},
    {"name": "2U", "slug": "2U"},
]  # fmt: skip
FOREIGN_SOURCES = ["pearson", {"name": "Pearson", "slug": "pearson"}]
COURSE_TYPES = [None, "verified-audit", "audit", EXEC_ED, EXEC_ED, "bootcamp-2u", "spoc-verified-audit", "Verified", ""]
RESTRICTIONS = [None, None, None, None, None, B2B, B2B, "custom-b2c", ""]
URLS = [
    None, "", "course/learn/based/x", "/relative/path?x=1#part", "https://www.example.org/?utm_source=worker&x=1&y=",
    "https://www.example.org/a+b:c/?b=2&a=1&b=1#frag?ment", "https://www.example.org/é/数?q=数+学&r=a%2Bb&utm_medium=a",
    "https://www.example.org/?flag&utm_source=a&utm_source=b", "//cdn.example.org/x?a=1;b=2", "https://example.org/p#",
]  # fmt: skip
STATUSES = ["published", "Published", "PUBLISHED", "unpublished", "reviewed", "archived", None]
SEATS = ["audit", "verified", "professional", "no-id-professional", "unpaid-executive-education", "honor", None]
NAMES = ["Acme, Inc.", "Université Lyon 1", "A_B & C--D", "数学", " --__x__-- ", "Ünï\u0301cødé ß", "O'Neill/Söhne+Co"]
CUSTOMERS: list[Item] = [
    {"slug": "acme", "enable_learner_portal": True},
    {"slug": "off-line", "enable_learner_portal": False},
    {"slug": None, "enable_learner_portal": True, "modified": "2098-01-01T00:00:00.5Z"},
    {"slug": "", "enable_learner_portal": False, "modified": None},
]  # fmt: skip


class OddWorld:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        found = sample("search_all_page_1")["results"] + sample("search_all_page_2")["results"]
        self._samples = {document["content_type"]: document for document in found if document.get("key", "x")}
        self._records = sample("courses_by_keys")["results"]
        self._program_record = sample("programs_by_uuids")["results"][0]
        self.world = World()
        documents = [document for key in KEYS for document in self._documents_of(key)]
        documents += [document for number in range(6) for document in self._uuid_documents(with_record=number % 2 == 0)]
        documents += self._unusable()
        courses = [document for document in documents if document["aggregation_key"].startswith("course:")]
        runs = [document for document in documents if document["aggregation_key"].startswith("courserun:")]
        self.world.searches = {
            "all": documents, "half": documents[::2], "courses": courses[::2], "runs": runs, "none": [],
        }  # fmt: skip
        listed: Item = {"name": "Customer", "active": True, "modified": "2026-11-01T00:00:00Z"}
        for customer in CUSTOMERS:
            uuid = self._uuid()
            self.world.customers[uuid] = {"uuid": uuid} | listed | customer
        self.world.customers[self._uuid()] = None
        self.catalogs = list(self._catalogs([*self.world.customers, self._uuid()]))

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _pick(self, values: list[Any]) -> Any:
        return deepcopy(self._random.choice(values))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _damaged(self, document: Item, *spared: str) -> Item:
        """Set some keys to null and remove others, but not those that identify the document."""
        for name in [name for name in document if name not in ("key", "uuid", "aggregation_key", "title", *spared)]:
            if self._chance(0.06):
                document[name] = None
            elif self._chance(0.06):
                del document[name]
        return document

    # --- Documents ----------------------------------------------------------------------------------------------------

    def _documents_of(self, key: str) -> list[Item]:
        """Return the search documents of a course: often itself, often some runs. Its record is added to the world."""
        nested = [self._nested(key, number) for number in range(self._random.randrange(5))]
        shared = {"key": key, "uuid": self._uuid(), "title": f"Course {key}", "course_type": self._pick(COURSE_TYPES)}
        found = [self._run_document(key, run) for _, run in nested if self._chance(0.5)]
        if self._chance(0.9):
            searched = [run for run, _ in nested if run.get("restriction_type") is None or self._chance(0.3)]
            document = self._pick([self._samples["course"]]) | shared | {
                "aggregation_key": f"course:{key}",
                "aggregation_uuid": f"course:{shared['uuid']}",
                "sort": [1, key],
                "course_runs": searched or self._pick([[], None]),
                "product_source": self._pick(SOURCES * 4 + FOREIGN_SOURCES),
            }  # fmt: skip
            found.append(self._damaged(document))
        if self._chance(0.85):
            self.world.courses[key] = self._record(shared, [run for _, run in nested])
        if self._chance(0.3):
            self.world.leaky.add(key)
        if self._chance(0.4):
            rating = self._pick(["4.566667", "3.900000", "5.000000", "0.000000"])
            review = {"course_key": key, "reviews_count": self._pick([0, 4, 120]), "avg_course_rating": rating}
            self.world.reviews[key] = review
        return found

    def _record(self, shared: Item, runs: list[Item]) -> Item:
        uuids = [run["uuid"] for run in runs if run.get("uuid")]
        entitlements = [
            {
                "mode": self._pick([EXEC_ED_MODE, EXEC_ED_MODE, "verified", None]),
                "price": self._pick(PRICES),
                "sku": self._pick(["ABC1234", "A B+C", None, ""]),
            }
            for _ in range(self._random.randrange(4))
        ]
        record = self._pick(self._records) | shared | {
            "course_runs": runs,
            "course_run_keys": [run["key"] for run in runs if run.get("restriction_type") is None],
            "course_type": self._pick([shared["course_type"], shared["course_type"], EXEC_ED]),
            "product_source": self._pick(SOURCES),
            "marketing_url": self._pick(URLS),
            "entitlements": self._pick([None, entitlements, entitlements]),
            "advertised_course_run_uuid": self._pick([*uuids, *uuids, None, self._uuid()]),
            "subjects": [{"name": "Mathématiques", "slug": "math"}],
            "programs": [{"uuid": str(UUID(int=36)), "title": "A program"}, {"title": "No uuid"}],
        }  # fmt: skip
        return self._damaged(record)

    def _nested(self, course: str, number: int) -> tuple[Item, Item]:
        """Return a run as in the search and as in the full record."""
        searched = {
            "key": f"course-v1:{course}+{number}T2026",
            "start": self._pick(DATES),
            "end": self._pick(DATES),
            "enrollment_start": self._pick(DATES),
            "enrollment_end": self._pick(DATES),
            "status": self._pick(STATUSES),
            "is_enrollable": self._pick([True, True, False, None]),
            "restriction_type": self._pick(RESTRICTIONS),
            "fixed_price_usd": self._pick(PRICES),
            "first_enrollable_paid_seat_price": self._pick(PRICES),
        }
        if searched["restriction_type"] is None and self._chance(0.3):
            del searched["restriction_type"]
        full = searched | {
            "uuid": self._pick([self._uuid(), self._uuid(), None]),
            "marketing_url": self._pick(URLS),
            "seats": self._pick([None, self._seats(), self._seats(), self._seats()]),
            "is_marketable": self._pick([True, True, False, None]),
            "is_marketable_external": self._pick([False, False, True, None]),
        }
        return self._damaged(searched, "restriction_type"), self._damaged(full, "restriction_type")

    def _seats(self) -> list[Item]:
        return [
            {
                "type": self._pick(SEATS),
                "upgrade_deadline": self._pick(DATES),
                "upgrade_deadline_override": self._pick([None, None, *DATES]),
            }
            for _ in range(self._random.randrange(4))
        ]

    def _run_document(self, course: str, run: Item) -> Item:
        own = {
            "aggregation_key": f"courserun:{course}",
            "marketing_url": self._pick(URLS),
            "product_source": self._pick([None, None, *SOURCES, *FOREIGN_SOURCES]),
        }
        return self._damaged(self._pick([self._samples["courserun"]]) | run | own, "restriction_type")

    def _uuid_documents(self, *, with_record: bool) -> list[Item]:
        """Return a program, a pathway, a course without key, and a run whose course is unknown."""
        program, pathway, course, run = (self._uuid() for _ in range(4))
        if with_record:
            record = self._program_record | {"uuid": program, "marketing_url": self._pick(URLS)}
            self.world.programs[program] = self._damaged(record)
        found = [
            self._samples["program"] | {"aggregation_key": f"program:{program}", "uuid": program},
            self._samples["learnerpathway"] | {"aggregation_key": f"learnerpathway:{pathway}", "uuid": pathway},
            self._samples["course"] | {"aggregation_key": f"course:{course}", "key": None, "uuid": course},
            self._samples["courserun"] | {"aggregation_key": "courserun:edX+Elsewhere", "key": f"course-v1:edX+{run}"},
        ]
        return [
            self._damaged(
                deepcopy(document) | {"marketing_url": self._pick(URLS), "product_source": self._pick(SOURCES)}
            )
            for document in found
        ]

    def _unusable(self) -> list[Item]:  # REFR-11, DISC-17
        course = self._samples["course"] | {"course_runs": []}
        return [
            {"aggregation_key": f"person:{self._uuid()}", "content_type": "person", "uuid": self._uuid()},
            course | {"aggregation_key": "course:", "key": "", "uuid": None},
            course | {"aggregation_key": "course:edX+Blank ", "key": "edX+Blank ", "uuid": self._uuid()},
            course | {"aggregation_key": "degree:edX+Unknown", "key": "edX+Unknown", "uuid": self._uuid()},
            course | {"aggregation_key": "course:L", "key": "L" * 256, "uuid": self._uuid()},
        ]

    # --- Catalogs -----------------------------------------------------------------------------------------------------

    def _catalogs(self, customers: list[str]) -> Iterator[Catalog]:
        """Return several catalogs for each customer, on filters that some of them share."""
        runs = {key: [run["key"] for run in runs_of(self.world.courses.get(key))] + ["no-such-run"] for key in KEYS}
        right: Item = {(f"course:{key}" if len(key) % 2 else key): runs[key] for key in KEYS[::2]}
        wrong = {KEYS[1]: runs[KEYS[0]] + runs[KEYS[2]], KEYS[0]: runs[KEYS[0]][:1], "edX+Nobody": ["x"], KEYS[4]: []}
        filters: list[Item] = [
            {"org": "all"},
            {"org": "all", "restricted_runs_allowed": right},
            {"org": "half", "restricted_runs_allowed": wrong},
            {"org": "courses", "restricted_runs_allowed": right},
            {"org": "runs", "restricted_runs_allowed": right},
            {"org": "none", "enterprise_force_include_aggregation_keys": [f"course:{KEYS[0]}", "edX+No", *KEYS[20:24]]},
            {"org": "half", "enterprise_force_include_aggregation_keys": KEYS[:6], "restricted_runs_allowed": right},
            {"org": "courses", "restricted_runs_allowed": [KEYS[0]]},
            {"org": "runs", "restricted_runs_allowed": {KEYS[0]: "x", KEYS[1]: runs[KEYS[1]]}},
            {"org": "none"},
        ]  # fmt: skip
        for number in range(len(filters) + 7):
            yield Catalog(
                uuid=self._uuid(),
                title=f"Catalog {number}",
                customer=customers[number % len(customers)],
                customer_name=NAMES[number % len(NAMES)],
                audit=number % 3 == 0,
                content_filter=filters[number % len(filters)],
            )
