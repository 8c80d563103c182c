"""
Write search documents as search/all returns them, from facts, on every call.

Their shapes are those of discovery's index. Fields that exist only to filter by are in `index_terms`.
"""

from collections.abc import Sequence
from typing import Any

from enterprise_catalog.sandbox.facts import Course, Organization, Pathway, Program, Run
from enterprise_catalog.sandbox.text import TextPool, sku, stable_uuid

Json = dict[str, Any]
CDN = "https://prod-discovery.edx-cdn.org"


class DocumentWriter:
    def __init__(self, *, seed: str, texts: TextPool) -> None:
        self.seed = seed
        self.texts = texts

    def course(self, course: Course, *, runs: Sequence[Run]) -> Json:
        """`runs` are those to show: languages and seat types speak of them only (DISC-14)."""
        exec_ed = course.is_exec_ed
        ends = [run.end for run in course.visible_runs]
        end_date = max((end for end in ends if end), default=None)
        active = any(run.is_enrollable for run in course.visible_runs)
        # DISC-17: some documents carry nulls for lists and text, and an object for product_source.
        odd = course.number % 29 == 11
        skills = self.skills(course.number, 3 + course.number % 4)
        source = "2u" if exec_ed else "edx"
        return {
            "aggregation_key": f"course:{course.key}",
            "content_type": "course",
            "full_description": self.texts.long(course.number),
            "key": course.key,
            "short_description": None if odd else self.texts.short(course.number),
            "title": course.title,
            "card_image_url": self.course_image(course),
            "image_url": self.course_image(course),
            "course_runs": [self.nested_run(course, run) for run in runs],
            "uuid": course.uuid,
            "seat_types": self.seat_types(course) if runs else [],
            "skill_names": [skill["name"] for skill in skills],
            "skills": skills,
            "end_date": end_date,
            "course_ends": "Future" if active else "Past",
            "subjects": list(course.subjects),
            "languages": None if odd else ([course.language[0]] if runs else []),
            "organizations": [f"{course.organization.key}: {course.organization.name}"],
            "outcome": self.texts.medium(course.number),
            "level_type": [course.level],
            "modified": self.modified(course),
            "course_type": course.course_type,
            "course_length": "medium",
            "enterprise_subscription_inclusion": course.number % 3 != 1,
            "external_course_marketing_type": "short_course" if exec_ed else None,
            "product_source": product_source(source) if odd else source,
        }

    def nested_run(self, course: Course, run: Run) -> Json:
        return {
            **run_core(run),
            "modified": run.start.rstrip("Z") + "Z",
            "enrollment_mode": self.seat_types(course)[-1],
            "estimated_hours": 36,
        }

    def courserun(self, course: Course, run: Run) -> Json:
        position = course.runs.index(run) + 1
        skills = self.skills(course.number, 3 + course.number % 4)
        return {
            **run_core(run),
            "aggregation_key": f"courserun:{course.key}",
            "content_type": "courserun",
            "authoring_organization_uuids": [course.organization.uuid],
            "first_enrollable_paid_seat_sku": sku(self.seed, run.key, "paid") if run.price else None,
            "full_description": self.texts.long(course.number),
            "has_enrollable_seats": run.is_enrollable,
            "image_url": self.course_image(course),
            "language": course.language[0],
            "level_type": course.level,
            "logo_image_urls": [self.organization_logo(course.organization)],
            # DISC-17: relative here, absolute in the full record.
            "marketing_url": f"course/{self.slug(course)}-{position}",
            "mobile_available": True,
            "number": course.key.partition("+")[2],
            "org": course.organization.key,
            "partner": course.partner,
            "program_types": [],
            "published": run.status == "published",
            "seat_types": self.seat_types(course),
            "skill_names": [skill["name"] for skill in skills],
            "skills": skills,
            "short_description": self.texts.short(course.number),
            "staff_uuids": [stable_uuid(self.seed, "person", course.organization.key)],
            "subject_uuids": [stable_uuid(self.seed, "subject", name) for name in course.subjects],
            "title": course.title,
            "transcript_languages": [course.language[0]],
            "type": self.seat_types(course)[-1],
        }

    def program(self, program: Program) -> Json:
        skills = self.skills(program.number, 4)
        return {
            "aggregation_key": f"program:{program.uuid}",
            "content_type": "program",
            "uuid": program.uuid,
            "title": program.title,
            "subtitle": self.texts.sentence(program.number),
            "card_image_url": f"{CDN}/media/programs/{program.uuid}.jpg",
            "language": ["English"],
            "marketing_url": f"https://www.example.org/programs/{program.uuid}",
            "partner": "edx",
            "published": program.status == "active",
            "status": program.status,
            "type": program.type,
            "authoring_organization_uuids": [program.organization.uuid],
            "authoring_organizations": [self.organization(program.organization)],
            "hidden": False,
            "is_program_eligible_for_one_click_purchase": True,
            "max_hours_effort_per_week": 6,
            "min_hours_effort_per_week": 3,
            "staff_uuids": [],
            "subject_uuids": sorted(
                {stable_uuid(self.seed, "subject", name) for course in program.courses for name in course.subjects}
            ),
            "skill_names": [skill["name"] for skill in skills],
            "skills": skills,
            "weeks_to_complete_max": 40,
            "weeks_to_complete_min": 20,
            "search_card_display": [],
            "is_2u_degree_program": False,
            "excluded_from_search": False,
            "excluded_from_seo": False,
            "overview": self.texts.long(program.number),
        }

    def pathway(self, pathway: Pathway) -> Json:
        return {
            "aggregation_key": f"learnerpathway:{pathway.uuid}",
            "content_type": "learnerpathway",
            "uuid": pathway.uuid,
            "title": pathway.title,
            "status": "active",
            "published": True,
            "overview": self.texts.sentence(pathway.number),
            "banner_image": None,
            "card_image": {"card": {"url": f"{CDN}/media/pathway/{pathway.uuid}.png", "width": 378, "height": 225}},
            "partner": "edx",
            "skill_names": [],
            "skills": [],
            "visible_via_association": True,
            "created": "2024-03-01T09:30:00Z",
            "steps": [self._step(pathway, course) for course in pathway.courses],
        }

    def _step(self, pathway: Pathway, course: Course) -> Json:
        return {
            "uuid": stable_uuid(self.seed, "step", pathway.uuid, course.key),
            "min_requirement": 1,
            "courses": [
                {
                    "key": course.key,
                    "course_runs": [{"key": run.key} for run in course.visible_runs],
                    "title": course.title,
                    "short_description": None,
                    "card_image_url": None,
                    "content_type": "course",
                }
            ],
            "programs": [],
        }

    def person(self, number: int) -> Json:
        uuid = stable_uuid(self.seed, "instructor", number)
        return {
            "uuid": uuid,
            "salutation": None,
            "full_name": f"Instructor {number}",
            "bio": None,
            "bio_language": None,
            "profile_image_url": None,
            "position": None,
            "organizations": [],
            "aggregation_key": f"person:{uuid}",
            "content_type": "person",
        }

    # Parts that search documents and full records share.

    def skills(self, number: int, count: int) -> list[Json]:
        category = {"name": "Information Technology"}
        return [
            {
                "name": self.texts.name(number * 5 + position),
                "description": self.texts.sentence(number * 5 + position),
                "category": category,
                "subcategory": {"name": "Data Science", "category": category},
            }
            for position in range(count)
        ]

    def course_image(self, course: Course, *, size: str = ".small") -> str:
        return f"{CDN}/media/course/image/{course.uuid}-{course.number:012d}{size}.jpg"

    def organization_logo(self, organization: Organization) -> str:
        return f"{CDN}/organization/logos/{organization.uuid}.png"

    def organization(self, organization: Organization) -> Json:
        return {
            "uuid": organization.uuid,
            "key": organization.key,
            "name": organization.name,
            "certificate_logo_image_url": f"{CDN}/organization/certificate_logos/{organization.uuid}.png",
            "logo_image_url": self.organization_logo(organization),
            "organization_hex_color": None,
            "description": "",
            "description_es": "",
            "homepage_url": None,
            "slug": organization.key.lower(),
            "auto_generate_course_run_keys": True,
            "enterprise_subscription_inclusion": True,
        }

    @staticmethod
    def seat_types(course: Course) -> list[str]:
        if course.is_exec_ed:
            return ["unpaid-executive-education"]
        if course.course_type == "professional":
            return ["professional"]
        return ["audit"] if course.course_type == "audit" else ["audit", "verified"]

    @staticmethod
    def slug(course: Course) -> str:
        return "learn/" + course.key.lower().replace("+", "-")

    @staticmethod
    def modified(course: Course) -> str:
        return max(run.start.rstrip("Z") for run in course.runs) + "Z"


def run_core(run: Run) -> Json:
    """What every rendering of a run begins with."""
    return {
        "key": run.key,
        "start": run.start,
        "end": run.end,
        "go_live_date": None,
        "enrollment_start": run.enrollment_start,
        "enrollment_end": run.enrollment_end,
        "status": run.status,
        "availability": run.availability,
        "pacing_type": run.pacing,
        "is_enrollable": run.is_enrollable,
        "weeks_to_complete": 8,
        "min_effort": 3,
        "max_effort": 6,
        "restriction_type": run.restriction,
        "first_enrollable_paid_seat_price": run.price,
        "fixed_price_usd": run.fixed_price,
    }


def product_source(slug: str) -> Json:
    name = {"edx": "edX", "2u": "2U"}.get(slug, slug)
    return {"name": name, "slug": slug, "description": name, "ofac_restricted": False}


def odd_documents() -> list[Json]:
    """Return documents that no service can store: no id, bad keys, an unknown type (DISC-17)."""
    empty: Json = {"title": None, "course_runs": None}
    return [
        {"aggregation_key": "course:", "content_type": "course", "key": None, "uuid": None, **empty},
        *(
            {"aggregation_key": f"course:{key}", "content_type": "course", "key": key, **empty}
            for key in ("OddX+" + "L" * 300, "OddX+N\x00UL", " OddX+Blank ")
        ),
        {"aggregation_key": "degree:OddX+Degree", "content_type": "degree", "key": "OddX+Degree", **empty},
    ]
