"""
Generate the facts of each course, program and pathway from seed and position, as small immutable values.

Documents are written from these facts on demand, so a course's search document and full record agree. Dates are not
near the reference month, so nothing expires while a data set is in use.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from enterprise_catalog.sandbox.text import stable_uuid

B2B = "custom-b2b-enterprise"
B2C = "custom-b2c"
EXEC_ED = "executive-education-2u"

TOPICS = (
    ("DATA", "Data Science"),
    ("PROG", "Programming"),
    ("STAT", "Statistics"),
    ("LEAD", "Leadership"),
    ("FIN", "Finance"),
    ("LAW", "Law and Society"),
    ("CLIM", "Climate"),
    ("HLTH", "Public Health"),
    ("CLD", "Cloud Computing"),
    ("ETH", "Ethics"),
    ("MKT", "Marketing"),
    ("QNT", "Quantum Physics"),
)
OPENINGS = ("Introduction to", "Foundations of", "Advanced", "Applied", "Practical", "Essentials of", "Methods in")
WORLD_TITLES = (
    "数据科学导论",
    "Введение в статистику",
    "مقدمة في البرمجة",
    "Économie & société — 入門 🎓",
    "Hälsa för alla åldrar",
)
SUBJECTS = (
    "Business & Management",
    "Computer Science",
    "Data Analysis & Statistics",
    "Design",
    "Economics & Finance",
    "Health & Safety",
    "Humanities",
    "Law",
    "Social Sciences",
)
LEVELS = ("Introductory", "Intermediate", "Advanced")
# (name, code, facet name); most content is English, as in the field.
LANGUAGES = (("English", "en-us"),) * 7 + (("Spanish", "es"), ("French", "fr"), ("Chinese - Mandarin", "zh-cmn"))
COURSE_TYPES = ("verified-audit",) * 6 + ("professional", "audit", "credit-verified-audit")
PRICES = (49, 99, 149, 199, 249, 299)
PROGRAM_TYPES = ("MicroMasters", "Professional Certificate", "XSeries", "MicroBachelors")
ORGANIZATIONS = 40


@dataclass(frozen=True)
class Organization:
    number: int
    uuid: str

    @property
    def key(self) -> str:
        return f"Org{self.number:02d}X"

    @property
    def name(self) -> str:
        return f"University of Place {self.number:02d}"


@dataclass(frozen=True)
class Run:
    key: str
    uuid: str
    start: str
    end: str | None
    enrollment_start: str | None
    enrollment_end: str | None
    status: str
    availability: str
    pacing: str
    is_enrollable: bool
    price: int | None
    fixed_price: str | None
    restriction: str | None


@dataclass(frozen=True)
class Course:
    number: int
    key: str
    uuid: str
    title: str
    organization: Organization
    course_type: str
    subjects: tuple[str, ...]
    level: str
    language: tuple[str, str]
    price: int
    partner: str
    runs: tuple[Run, ...]

    @property
    def is_exec_ed(self) -> bool:
        return self.course_type == EXEC_ED

    @property
    def visible_runs(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.restriction is None)

    @property
    def advertised_run(self) -> Run | None:
        """The last one that can be enrolled in, else the last of all."""
        runs = self.visible_runs
        return next((run for run in reversed(runs) if run.is_enrollable), runs[-1] if runs else None)


@dataclass(frozen=True)
class Program:
    number: int
    uuid: str
    title: str
    type: str
    status: str
    organization: Organization
    courses: tuple[Course, ...]


@dataclass(frozen=True)
class Pathway:
    number: int
    uuid: str
    title: str
    courses: tuple[Course, ...]
    programs: tuple[Program, ...]


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_course(*, number: int, seed: str, now: datetime) -> Course:
    random = Random(f"{seed}:course:{number}")
    organization = make_organization(random.randrange(ORGANIZATIONS), seed=seed)
    code, topic = TOPICS[number % len(TOPICS)]
    key = f"{organization.key}+{code}{number:05d}x"
    title = f"{random.choice(OPENINGS)} {topic} {number}"
    if number % 11 == 5:
        title = f"{WORLD_TITLES[number // 11 % len(WORLD_TITLES)]} {number}"
    exec_ed = number % 12 == 7
    price = random.choice(PRICES)
    return Course(
        number=number,
        key=key,
        uuid=stable_uuid(seed, "course", key),
        title=title,
        organization=organization,
        course_type=EXEC_ED if exec_ed else random.choice(COURSE_TYPES),
        subjects=tuple(random.sample(SUBJECTS, 2)),
        level=random.choice(LEVELS),
        language=random.choice(LANGUAGES),
        price=price,
        partner="other" if number % 37 == 30 else "edx",
        runs=_make_runs(random, number=number, course_key=key, seed=seed, now=now, exec_ed=exec_ed, price=price),
    )


def make_organization(number: int, *, seed: str) -> Organization:
    return Organization(number=number, uuid=stable_uuid(seed, "organization", number))


def _make_runs(
    random: Random, *, number: int, course_key: str, seed: str, now: datetime, exec_ed: bool, price: int
) -> tuple[Run, ...]:
    """One to six runs, by start: ended ones, then (unless the course is archived) a current or a coming one."""
    count = 1 + (number * 7 + random.randrange(3)) % 6
    archived = number % 10 == 3
    restricted = 0 if archived or number % 9 != 4 else (2 if number % 18 == 4 and count > 2 else 1)
    ended = count if archived else max(count - 1 - restricted, 0)
    fixed_price = "2900.00" if exec_ed else None
    paid_price = None if exec_ed else price
    runs: list[Run] = []

    def add(start: datetime, end: datetime | None, *, suffix: str = "", restriction: str | None = None) -> None:
        key = f"course-v1:{course_key}+{len(runs) + 1}T{start.year}{suffix}"
        status = "unpublished" if end is not None and end < now and random.random() < 0.3 else "published"
        closes = end - timedelta(days=10) if end else None
        over = end is not None and end < now
        runs.append(
            Run(
                key=key,
                uuid=stable_uuid(seed, "run", key),
                start=iso(start).rstrip("Z") if number % 29 == 11 and over else iso(start),
                end=iso(end) if end else None,
                enrollment_start=iso(start - timedelta(days=60)) if number % 4 == 1 else None,
                enrollment_end=iso(closes) if closes else None,
                status=status,
                availability=_availability(start, end, now),
                pacing="instructor_paced" if exec_ed or random.random() < 0.3 else "self_paced",
                is_enrollable=status == "published" and not over,
                price=paid_price,
                fixed_price=fixed_price,
                restriction=restriction,
            )
        )

    for back in range(ended, 0, -1):
        end = now - timedelta(days=5 + back * 120 - random.randrange(60))
        add(end - timedelta(days=60 + random.randrange(40)), end)
    if archived:
        return tuple(runs)
    if number % 10 == 6:
        start = now + timedelta(days=45 + random.randrange(150))
    else:
        start = now - timedelta(days=5 + random.randrange(300))
    last_end = None if number % 13 == 2 else max(start, now) + timedelta(days=90 + random.randrange(500))
    add(start, last_end)
    for extra in range(restricted):
        add(start, last_end, suffix="_R" * (extra + 1), restriction=B2B if extra == 0 else B2C)
    return tuple(sorted(runs, key=lambda run: run.start.rstrip("Z")))


def _availability(start: datetime, end: datetime | None, now: datetime) -> str:
    if end is not None and end < now:
        return "Archived"
    if start <= now:
        return "Current"
    return "Starting Soon" if start < now + timedelta(days=60) else "Upcoming"


def make_program(*, number: int, seed: str, courses: tuple[Course, ...]) -> Program:
    random = Random(f"{seed}:program:{number}")
    members = tuple(random.sample(courses, min(len(courses), 2 + number % 3)))
    program_type = PROGRAM_TYPES[number % len(PROGRAM_TYPES)]
    topic = TOPICS[number % len(TOPICS)][1]
    return Program(
        number=number,
        uuid=stable_uuid(seed, "program", number),
        title=f"{program_type} in {topic} {number}",
        type=program_type,
        status="retired" if number % 15 == 14 else "active",
        organization=members[0].organization if members else make_organization(0, seed=seed),
        courses=members,
    )


def make_pathway(*, number: int, seed: str, courses: tuple[Course, ...], programs: tuple[Program, ...]) -> Pathway:
    random = Random(f"{seed}:pathway:{number}")
    return Pathway(
        number=number,
        uuid=stable_uuid(seed, "pathway", number),
        title=f"From spreadsheets to models {number}",
        courses=tuple(random.sample(courses, min(len(courses), 2))),
        programs=tuple(random.sample(programs, min(len(programs), 1))),
    )
