"""Generated documents have the fields of the real ones, no more and no fewer (contract 8.2, 8.3)."""

import json
from statistics import mean

from enterprise_catalog.sandbox import Sandbox


def fields(names: str) -> set[str]:
    return set(names.split())


RUN_CORE = fields(
    """
    key start end go_live_date enrollment_start enrollment_end status availability pacing_type is_enrollable
    weeks_to_complete min_effort max_effort restriction_type first_enrollable_paid_seat_price fixed_price_usd
    """
)
SEARCH_NESTED_RUN = RUN_CORE | {"modified", "enrollment_mode", "estimated_hours"}
SEARCH_COURSE = fields(
    """
    aggregation_key content_type full_description key short_description title card_image_url image_url course_runs
    uuid seat_types skill_names skills end_date course_ends subjects languages organizations outcome level_type
    modified course_type course_length enterprise_subscription_inclusion external_course_marketing_type
    product_source
    """
)
SEARCH_RUN = RUN_CORE | fields(
    """
    aggregation_key content_type authoring_organization_uuids first_enrollable_paid_seat_sku full_description
    has_enrollable_seats image_url language level_type logo_image_urls marketing_url mobile_available number org
    partner program_types published seat_types skill_names skills short_description staff_uuids subject_uuids
    title transcript_languages type
    """
)
SEARCH_PROGRAM = fields(
    """
    aggregation_key content_type uuid title subtitle card_image_url language marketing_url partner published
    status type authoring_organization_uuids authoring_organizations hidden
    is_program_eligible_for_one_click_purchase max_hours_effort_per_week min_hours_effort_per_week staff_uuids
    subject_uuids skill_names skills weeks_to_complete_max weeks_to_complete_min search_card_display
    is_2u_degree_program excluded_from_search excluded_from_seo overview
    """
)
SEARCH_PATHWAY = fields(
    """
    aggregation_key content_type uuid title status published overview banner_image card_image partner skill_names
    skills visible_via_association created steps
    """
)
SEARCH_PERSON = fields(
    """
    uuid salutation full_name bio bio_language profile_image_url position organizations aggregation_key
    content_type
    """
)
RECORD_RUN = RUN_CORE | fields(
    """
    uuid title external_key image short_description marketing_url seats type run_type is_marketable
    is_marketable_external variant_id course full_description announcement video content_language license outcome
    transcript_languages instructors staff modified level_type mobile_available hidden reporting_type
    eligible_for_financial_aid has_ofac_restrictions ofac_comment enrollment_count recent_enrollment_count
    expected_program_type expected_program_name course_uuid estimated_hours content_language_search_facet_name
    enterprise_subscription_inclusion type_is_marketable
    """
)
RECORD_COURSE = fields(
    """
    full_description key short_description title course_runs uuid subjects outcome level_type modified course_type
    course_length enterprise_subscription_inclusion external_course_marketing_type product_source entitlements
    owners image url_slug course_run_key_for_reruns prerequisites prerequisites_raw expected_learning_items video
    sponsors marketing_url syllabus_raw original_image canonical_course_run_key extra_description
    additional_information additional_metadata faq learner_testimonials enrollment_count recent_enrollment_count
    topics partner key_for_reruns url_slug_history url_redirects course_run_statuses editors collaborators
    organization_short_code_override organization_logo_override_url geolocation location_restriction in_year_value
    data_modified_timestamp excluded_from_search excluded_from_seo watchers course_run_keys
    advertised_course_run_uuid programs type skill_names skills card_image_url
    """
)
RECORD_PROGRAM = fields(
    """
    uuid title subtitle type status marketing_url hidden authoring_organizations card_image_url
    is_program_eligible_for_one_click_purchase overview weeks_to_complete_min weeks_to_complete_max
    min_hours_effort_per_week max_hours_effort_per_week type_attrs marketing_slug degree total_hours_of_effort
    courses banner_image expected_learning_items faq price_ranges topics labels data_modified_timestamp
    """
)
REVIEW = fields(
    """
    course_key reviews_count avg_course_rating confident_learners_percentage most_common_goal
    most_common_goal_learners_percentage total_enrollments
    """
)
CUSTOMER = fields(
    """
    uuid name slug active enable_learner_portal modified contact_email enable_data_sharing_consent
    enforce_data_sharing_consent branding_configuration identity_provider site replace_sensitive_sso_username
    enable_portal_code_management_screen
    """
)


def test_search_documents_have_the_fields_of_the_real_ones(client):
    """Contract 8.2."""
    expected = {
        "course": SEARCH_COURSE,
        "courserun": SEARCH_RUN,
        "program": SEARCH_PROGRAM,
        "learnerpathway": SEARCH_PATHWAY,
        "person": SEARCH_PERSON,
    }
    found = client.found({}, include_learner_pathways="True")
    assert {document["content_type"] for document in found} == expected.keys()
    assert all(document.keys() == expected[document["content_type"]] for document in found)


def test_runs_nested_in_search_documents_have_no_uuid_and_are_not_marketable(client):
    """Contract 8.2."""
    runs = [run for course in client.found({"content_type": "course"}) for run in course["course_runs"]]
    assert runs
    assert all(run.keys() == SEARCH_NESTED_RUN for run in runs)


def test_cursor_pages_add_two_fields(client):  # DISC-3
    page = client.search({"content_type": "course"}, version=2).json()
    assert all(document.keys() == SEARCH_COURSE | {"aggregation_uuid", "sort"} for document in page["results"])


def test_course_records_have_the_fields_of_the_real_ones(client):  # DISC-18
    courses = client.get("/api/v1/courses/", params={"limit": 200}).json()["results"]
    assert all(course.keys() == RECORD_COURSE for course in courses)
    assert all(run.keys() == RECORD_RUN for course in courses for run in course["course_runs"])


def test_program_records_have_the_fields_of_the_real_ones(client):  # DISC-19
    programs = client.get("/api/v1/programs/").json()["results"]
    assert len(programs) == 5
    assert all(program.keys() == RECORD_PROGRAM for program in programs)


def test_reviews_send_ratings_as_text(client):  # DISC-21
    page = client.get("/api/v1/course_review/").json()
    assert page["count"] == len(page["results"]) == 40
    assert all(row.keys() == REVIEW and isinstance(row["avg_course_rating"], str) for row in page["results"])


def test_customers_have_the_fields_of_the_real_ones(client):  # DISC-20
    customers = client.get("/enterprise/api/v1/enterprise-customer/").json()["results"]
    assert all(customer.keys() == CUSTOMER for customer in customers)


def test_full_records_are_as_large_as_real_ones(sandbox):
    sizes = [len(json.dumps(sandbox.course_record(key))) for key in sandbox.dataset.course_keys()]
    assert 12_000 < mean(sizes) < 20_000


def test_search_document_and_full_record_tell_the_same(sandbox):
    for key in sandbox.dataset.course_keys():
        document, record = sandbox.search_document("course", key), sandbox.course_record(key)
        assert [run["key"] for run in document["course_runs"]] == record["course_run_keys"]
        assert document["title"] == record["title"]
        assert document["uuid"] == record["uuid"]


def test_the_data_set_has_what_a_service_stumbles_over(sandbox):
    """DISC-17, META-20: each of these occurs in a small data set already."""
    courses = sandbox.dataset.courses.values()
    documents = [sandbox.search_document("course", course.key) for course in courses]
    assert {1, 6} <= {len(course.visible_runs) for course in courses}
    assert any(not any(run.is_enrollable for run in course.runs) for course in courses)
    assert any(run.end is None for course in courses for run in course.runs)
    assert any(not run.start.endswith("Z") for course in courses for run in course.runs)
    assert {"custom-b2b-enterprise", "custom-b2c", None} == {
        run.restriction for course in courses for run in course.runs
    }
    assert any(course.is_exec_ed for course in courses)
    assert any(isinstance(document["product_source"], dict) for document in documents)
    assert any(document["languages"] is None for document in documents)
    assert any(not document["title"].isascii() for document in documents)


def test_runs_are_ordered_by_start(sandbox):  # DISC-18
    for course in sandbox.dataset.courses.values():
        starts = [run.start.rstrip("Z") for run in course.runs]
        assert starts == sorted(starts)


def test_two_sandboxes_with_one_seed_hold_the_same_content():
    one, other, different = Sandbox(courses=5), Sandbox(courses=5), Sandbox(courses=5, seed="other")
    keys = one.dataset.course_keys()
    assert keys == other.dataset.course_keys() != different.dataset.course_keys()
    assert [one.course_record(key) for key in keys] == [other.course_record(key) for key in keys]
