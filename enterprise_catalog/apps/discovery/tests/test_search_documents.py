"""Each document of a search is accepted, skipped (REFR-11) or quarantined (DISC-17)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.core.packed_json import unpack
from enterprise_catalog.apps.discovery.search_documents import (
    FoundDocument,
    QuarantinedContent,
    SkippedDocument,
    classify_document,
    identity,
)
from tests import samples

RUN_KEY = "course-v1:edX+DemoX+1T2026"
UUID = "0e575a39-da1e-4e33-bb3b-e96cc6ffc58e"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["aggregation_key", "content_type", "key", "uuid", "product_source", "course_type", "sort"])


def course(**fields: Any) -> dict[str, Any]:
    return {"aggregation_key": "course:edX+DemoX", "content_type": "course", "key": "edX+DemoX"} | fields


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def sample_documents(name: str) -> list[Any]:
    text = (Path(str(samples.__file__)).parent / name).read_text()
    results: list[Any] = json.loads(text)["results"]
    return results


def test_a_course_has_its_key():
    found = classify_document(course(uuid=UUID))

    assert isinstance(found, FoundDocument)
    assert (found.content_key, found.content_type, found.parent_content_key) == ("edX+DemoX", "course", None)
    assert found.content_uuid == UUID


def test_a_runs_aggregation_key_names_its_course():  # REFR-12
    found = classify_document({"aggregation_key": "courserun:edX+DemoX", "content_type": "courserun", "key": RUN_KEY})

    assert isinstance(found, FoundDocument)
    assert (found.content_key, found.content_type, found.parent_content_key) == (RUN_KEY, "courserun", "edX+DemoX")
    assert found.content_uuid is None


@pytest.mark.parametrize("content_type", ["program", "learnerpathway"])
def test_a_document_without_a_key_has_its_uuid_as_key(content_type: str):  # REFR-12
    found = classify_document({"aggregation_key": f"{content_type}:{UUID}", "content_type": content_type, "uuid": UUID})

    assert isinstance(found, FoundDocument)
    assert (found.content_key, found.content_type) == (UUID, content_type)


def test_the_aggregation_key_names_the_type():
    """The aggregation key is split at the first colon (REFR-12)."""
    found = classify_document({"aggregation_key": "courserun:a:b", "content_type": "course", "key": RUN_KEY})

    assert isinstance(found, FoundDocument)
    assert (found.content_type, found.parent_content_key) == ("courserun", "a:b")


def test_documents_are_packed_without_the_fields_of_paging():  # DISC-3
    found = classify_document(course(sort=[1], aggregation_uuid="course:x", title="数学 𝄞", languages=None))

    assert isinstance(found, FoundDocument)
    assert unpack(found.packed) == course(title="数学 𝄞", languages=None)


@pytest.mark.parametrize(
    "document",
    [
        {"aggregation_key": f"person:{UUID}", "content_type": "person", "uuid": UUID},
        course(product_source="getsmarter"),
        course(product_source={"name": "Other", "slug": "other"}),
        course(course_type="bootcamp-2u"),
        {"aggregation_key": "courserun:a", "content_type": "courserun", "key": RUN_KEY, "product_source": "other"},
    ],
)
def test_documents_that_the_service_does_not_offer_are_skipped(document: dict[str, Any]):  # REFR-11
    assert isinstance(classify_document(document), SkippedDocument)


@pytest.mark.parametrize(
    "document",
    [
        course(product_source=None, course_type=None),
        course(product_source="edX"),
        course(product_source="2U"),
        course(product_source={"name": "edX", "slug": "edx", "description": None}),
        course(product_source={"name": "edX"}),
        course(course_type="executive-education-2u"),
        course(course_type="verified-audit"),
        # Only courses are skipped by their course type.
        {"aggregation_key": f"program:{UUID}", "content_type": "program", "uuid": UUID, "course_type": "other"},
    ],
)
def test_documents_that_the_service_may_offer_are_accepted(document: dict[str, Any]):
    """A missing value does not exclude a document (REFR-11)."""
    assert isinstance(classify_document(document), FoundDocument)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("a text", "not an object"),
        (None, "not an object"),
        (course(key=None), "no key"),
        (course(key="", uuid=None), "no key"),
        (course(key=7), "no text"),
        (course(key="x" * 256), "256 characters"),
        *((course(key=f"edX+Demo{character}X"), "control characters") for character in "\x00\t\n\x1f"),
        *((course(key=key), "blanks") for key in (" edX+DemoX", "edX+DemoX\u00a0", "edX+Demo X", "edX+Demo\u2003X")),
        (course(product_source=["edx"]), "product_source that cannot be read"),
        (course(product_source={"name": "edX", "slug": 7}), "product_source that cannot be read"),
        (course(course_type=["verified-audit"]), "course_type that cannot be read"),
        (course(aggregation_key="video:edX+DemoX"), "unknown type 'video'"),
        (course(aggregation_key=None), "unknown type"),
        (course(aggregation_key=7), "unknown type"),
        (course(deep=nested(500)), "nested too deeply"),
    ],
)
def test_unusable_documents_are_quarantined_with_the_reason(document: Any, reason: str):  # DISC-17, P7
    quarantined = classify_document(document)

    assert isinstance(quarantined, QuarantinedContent)
    assert reason in quarantined.reason


def test_a_document_over_three_mebibytes_is_quarantined():
    """The limit is before compression (DISC-17)."""
    quarantined = classify_document(course(full_description="x" * 3 * 1024 * 1024))

    assert isinstance(quarantined, QuarantinedContent)
    assert "bytes as stored" in quarantined.reason


def test_the_longest_key_and_a_large_document_are_stored():
    """A key of 255 characters, whatever their bytes, and a document of 1 MB (DISC-17)."""
    assert isinstance(classify_document(course(key="𝄞" * 255)), FoundDocument)
    assert isinstance(classify_document(course(full_description="x" * 1024 * 1024)), FoundDocument)


def test_a_hundred_levels_are_stored_and_one_more_is_quarantined():
    """Code that recurses into items, such as the XML renderer, must not fail (DISC-17)."""
    assert isinstance(classify_document(course(deep=nested(98))), FoundDocument)
    assert isinstance(classify_document(course(deep=nested(99))), QuarantinedContent)


def test_quarantined_keys_can_be_stored():
    quarantined = classify_document(course(key="\x00" + "k" * 300))

    assert isinstance(quarantined, QuarantinedContent)
    assert "\x00" not in quarantined.content_key
    assert 0 < len(quarantined.content_key) <= 255


def test_a_quarantined_document_without_a_key_has_its_aggregation_key():
    quarantined = classify_document(course(key=None))

    assert isinstance(quarantined, QuarantinedContent)
    assert quarantined.content_key == "edX+DemoX"


@given(JSON | st.dictionaries(FIELDS, JSON))
def test_no_document_raises_an_error(document: Any):  # P7
    classify_document(document)
    identity(document)


def test_a_document_that_comes_again_is_the_same_only_if_it_says_the_same():
    """Two documents with one key are discovery's own, and one document on two pages comes from paging (DISC-8)."""
    assert identity(course(title="A")) == identity(course(title="A"))
    assert identity(course(title="A")) != identity(course(title="B"))


def test_a_document_without_an_id_has_no_identity():  # DISC-8
    assert identity(course(key=None)) is None
    assert identity(course(deep=nested(500))) is None


def test_a_quarantined_document_says_which_content_it_is_of():  # P7
    deep = classify_document(course(uuid=UUID, deep=nested(500)))
    keyless = classify_document(course(key=7, uuid=UUID))
    other = classify_document(course(aggregation_key="video:edX+DemoX", uuid=UUID))

    assert isinstance(deep, QuarantinedContent)
    assert isinstance(keyless, QuarantinedContent)
    assert isinstance(other, QuarantinedContent)
    assert (deep.readable_key, deep.content_uuid, deep.content_type) == ("edX+DemoX", UUID, "course")
    assert (keyless.readable_key, keyless.content_uuid) == (None, UUID)
    # A thing of another kind with the same key.
    assert (other.readable_key, other.content_uuid, other.content_type) == (None, None, None)


def test_realistic_pages_are_classified():
    """Product source as an object, null lists, a date without a zone, a person, an unusable document (DISC-17)."""
    documents = sample_documents("search_all_page_1.json") + sample_documents("search_all_page_2.json")

    kinds = [type(classify_document(document)) for document in documents]

    assert kinds.count(SkippedDocument) == 1
    assert kinds.count(QuarantinedContent) == 1
    assert kinds.count(FoundDocument) == len(documents) - 2
