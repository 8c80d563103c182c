"""
Write full records as discovery's courses/, programs/ and course_review/ return them.

They agree with the search documents, since both are written from the same facts.
"""

from collections.abc import Collection
from typing import Any

from enterprise_catalog.sandbox.documents import DocumentWriter, product_source, run_core
from enterprise_catalog.sandbox.facts import Course, Program, Run
from enterprise_catalog.sandbox.text import TextPool, sku, stable_uuid

Json = dict[str, Any]
UTM = "utm_source=enterprise-catalog&utm_medium=affiliate_partner"


def with_utm(url: str) -> str:
    """Discovery appends the asking user's affiliate parameters to the URLs of full records (META-23)."""
    return f"{url}{'&' if '?' in url else '?'}{UTM}"


class RecordWriter:
    def __init__(self, *, seed: str, texts: TextPool) -> None:
        self.seed = seed
        self.texts = texts
        self.documents = DocumentWriter(seed=seed, texts=texts)

    def course(self, course: Course, *, restrictions: Collection[str] = ()) -> Json:
        """`restrictions` are the restriction types asked for; other restricted runs are absent (DISC-18)."""
        runs = [run for run in course.runs if run.restriction is None or run.restriction in restrictions]
        advertised = course.advertised_run
        skills = self.documents.skills(course.number, 3 + course.number % 4)
        slug = self.documents.slug(course)
        return {
            "full_description": self.texts.long(course.number),
            "key": course.key,
            "short_description": self.texts.short(course.number),
            "title": course.title,
            "course_runs": [self.run(course, run) for run in runs],
            "uuid": course.uuid,
            "subjects": [self._subject(name) for name in course.subjects],
            "outcome": self.texts.medium(course.number),
            "level_type": course.level,
            "modified": self.documents.modified(course),
            "course_type": course.course_type,
            "course_length": "medium",
            "enterprise_subscription_inclusion": course.number % 3 != 1,
            "external_course_marketing_type": "short_course" if course.is_exec_ed else None,
            "product_source": product_source("2u" if course.is_exec_ed else "edx"),
            "entitlements": self._entitlements(course),
            "owners": [self.documents.organization(course.organization)],
            "image": _image(self.documents.course_image(course)),
            "url_slug": slug,
            "prerequisites_raw": self.texts.short(course.number + 1),
            "video": {"src": f"https://www.example.org/watch/{course.uuid}", "description": None, "image": None},
            "marketing_url": with_utm(f"https://www.example.org/{slug}"),
            "syllabus_raw": self.texts.long(course.number + 2),
            "original_image": _image(self.documents.course_image(course, size="")),
            "canonical_course_run_key": advertised.key if advertised else None,
            "additional_metadata": self._additional_metadata(course),
            "topics": [self.texts.name(course.number + position) for position in range(4)],
            "partner": course.partner,
            "url_slug_history": [slug],
            "course_run_statuses": sorted({run.status for run in runs}),
            "data_modified_timestamp": self.documents.modified(course),
            "course_run_keys": [run.key for run in runs],
            "advertised_course_run_uuid": advertised.uuid if advertised else None,
            "programs": [],
            "type": stable_uuid(self.seed, "course type", course.course_type),
            "skill_names": [skill["name"] for skill in skills],
            "skills": skills,
            "card_image_url": self.documents.course_image(course),
            "enrollment_count": course.number * 37 % 60_000,
            "recent_enrollment_count": course.number * 11 % 900,
            **_COURSE_CONSTANTS,
        }

    def run(self, course: Course, run: Run) -> Json:
        marketable = run.status == "published" and run.is_enrollable
        image = _image(self.documents.course_image(course))
        position = course.runs.index(run) + 1
        return {
            **run_core(run),
            "uuid": run.uuid,
            "title": course.title,
            "image": image,
            "short_description": self.texts.short(course.number),
            "marketing_url": with_utm(f"https://www.example.org/{self.documents.slug(course)}-{position}"),
            "seats": [self._seat(course, run, kind) for kind in self.documents.seat_types(course)],
            "type": self.documents.seat_types(course)[-1],
            "run_type": stable_uuid(self.seed, "run type", course.course_type),
            "is_marketable": marketable,
            "is_marketable_external": marketable or run.availability in ("Starting Soon", "Upcoming"),
            "variant_id": stable_uuid(self.seed, "variant", run.key) if course.is_exec_ed else None,
            "course": course.key,
            "content_language": course.language[1],
            "transcript_languages": [course.language[1]],
            "staff": [self._staff(course)],
            "modified": run.start.rstrip("Z") + "Z",
            "level_type": course.level,
            "course_uuid": course.uuid,
            "content_language_search_facet_name": course.language[0],
            **_RUN_CONSTANTS,
        }

    def program(self, program: Program) -> Json:
        document = self.documents.program(program)
        shared = [
            "uuid",
            "title",
            "subtitle",
            "type",
            "status",
            "hidden",
            "authoring_organizations",
            "card_image_url",
            "overview",
            "is_program_eligible_for_one_click_purchase",
            "weeks_to_complete_min",
            "weeks_to_complete_max",
            "min_hours_effort_per_week",
            "max_hours_effort_per_week",
        ]
        prices = [float(course.price) for course in program.courses] or [0.0]
        return {
            **{name: document[name] for name in shared},
            "marketing_url": with_utm(document["marketing_url"]),
            "type_attrs": {
                "uuid": stable_uuid(self.seed, "program type", program.type),
                "slug": program.type.lower().replace(" ", "-"),
                "coaching_supported": False,
            },
            "marketing_slug": program.title.lower().replace(" ", "-"),
            "degree": None,
            "total_hours_of_effort": None,
            "courses": [_program_course(course) for course in program.courses],
            "banner_image": {},
            "expected_learning_items": [],
            "faq": [],
            "price_ranges": [{"currency": "USD", "min": min(prices), "max": max(prices), "total": sum(prices)}],
            "topics": [],
            "labels": [],
            "data_modified_timestamp": "2025-09-01T10:00:00.123456Z",
        }

    @staticmethod
    def review(course: Course) -> Json:
        """A row of course_review/: numbers as text (META-19)."""
        return {
            "course_key": course.key,
            "reviews_count": 4 + course.number * 7 % 300,
            "avg_course_rating": f"{3 + course.number % 20 / 10:.6f}",
            "confident_learners_percentage": f"{50 + course.number % 50}.0",
            "most_common_goal": "Job advancement" if course.number % 2 else "Learn for fun",
            "most_common_goal_learners_percentage": f"{30 + course.number % 40}.0",
            "total_enrollments": course.number * 37 % 60_000,
        }

    def _subject(self, name: str) -> Json:
        return {
            "name": name,
            "subtitle": None,
            "description": None,
            "banner_image_url": None,
            "card_image_url": None,
            "slug": name.lower().replace(" ", "-"),
            "uuid": stable_uuid(self.seed, "subject", name),
        }

    def _seat(self, course: Course, run: Run, kind: str) -> Json:
        paid = kind in ("verified", "professional")
        return {
            "type": kind,
            "price": f"{course.price}.00" if paid else "0.00",
            "currency": "USD",
            "upgrade_deadline": run.enrollment_end if kind == "verified" else None,
            "upgrade_deadline_override": None,
            "credit_provider": None,
            "credit_hours": None,
            "sku": sku(self.seed, run.key, "paid" if paid else kind),
            "bulk_sku": sku(self.seed, run.key, "bulk") if paid else None,
        }

    def _entitlements(self, course: Course) -> list[Json]:
        if not course.is_exec_ed:
            return []
        return [
            {
                "mode": "paid-executive-education",
                "price": "2900.00",
                "currency": "USD",
                "sku": sku(self.seed, course.key, "entitlement"),
                "expires": None,
            }
        ]

    def _additional_metadata(self, course: Course) -> Json | None:
        run = course.advertised_run
        if not course.is_exec_ed or run is None:
            return None
        return {
            "external_identifier": stable_uuid(self.seed, "external", course.key),
            "external_url": "https://www.example.org/exec",
            "lead_capture_form_url": "https://www.example.org/lead",
            "facts": [],
            "certificate_info": None,
            "organic_url": "",
            "start_date": run.start,
            "end_date": run.end,
            "registration_deadline": run.enrollment_end,
            "variant_id": stable_uuid(self.seed, "variant", run.key),
            "course_term_override": None,
            "product_status": "published",
            "product_meta": None,
            "external_course_marketing_type": "short_course",
            "display_on_org_page": True,
            "taxi_form": None,
        }

    def _staff(self, course: Course) -> Json:
        uuid = stable_uuid(self.seed, "person", course.organization.key)
        return {
            "uuid": uuid,
            "given_name": "Instructor",
            "family_name": self.texts.name(course.organization.number),
            "slug": "instructor",
            "profile_image_url": f"https://prod-discovery.edx-cdn.org/media/people/{uuid}.jpg",
            "position": {"title": "Professor", "organization_name": course.organization.name, "organization_id": 7},
            "bio": self.texts.sentence(course.organization.number),
        }


def _image(url: str) -> Json:
    return {"src": url, "description": None, "height": None, "width": None}


def _program_course(course: Course) -> Json:
    runs = [
        {
            "key": run.key,
            "uuid": run.uuid,
            "title": course.title,
            "start": run.start,
            "end": run.end,
            "status": run.status,
        }
        for run in course.visible_runs
    ]
    return {"key": course.key, "uuid": course.uuid, "title": course.title, "course_runs": runs}


_COURSE_CONSTANTS: Json = {
    "course_run_key_for_reruns": "",
    "prerequisites": [],
    "expected_learning_items": [],
    "sponsors": [],
    "extra_description": None,
    "additional_information": "",
    "faq": "",
    "learner_testimonials": "",
    "key_for_reruns": "",
    "url_redirects": [],
    "editors": [],
    "collaborators": [],
    "organization_short_code_override": "",
    "organization_logo_override_url": None,
    "geolocation": None,
    "location_restriction": None,
    "in_year_value": None,
    "excluded_from_search": False,
    "excluded_from_seo": False,
    "watchers": [],
}
_RUN_CONSTANTS: Json = {
    "external_key": "",
    "full_description": None,
    "announcement": None,
    "video": None,
    "license": "",
    "outcome": None,
    "instructors": [],
    "mobile_available": True,
    "hidden": False,
    "reporting_type": "mooc",
    "eligible_for_financial_aid": True,
    "has_ofac_restrictions": False,
    "ofac_comment": "",
    "enrollment_count": 3072,
    "recent_enrollment_count": 75,
    "expected_program_type": None,
    "expected_program_name": "",
    "estimated_hours": 36,
    "enterprise_subscription_inclusion": True,
    "type_is_marketable": True,
}
