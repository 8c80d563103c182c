from uuid import UUID

import pytest

from enterprise_catalog.apps.core.uuids import canonical_uuid, parse_uuid

U = UUID("6ae013d4-c5c4-474d-8da9-0e559b2448e2")


@pytest.mark.parametrize("text", [str(U), str(U).upper(), U.hex, U.hex.upper()])
def test_case_and_hyphens_do_not_matter(text):  # COM-3, ROLE-5
    assert parse_uuid(text) == U


@pytest.mark.parametrize(
    "value",
    ["", f"{{{U}}}", f"urn:uuid:{U}", f"{U}\n", f" {U}", str(U)[:-1], "6ae013d4c5c4-474d8da90e559b2448e2", 7, None],
)
def test_everything_else_is_not_a_uuid(value):  # COM-3
    assert parse_uuid(value) is None


@pytest.mark.parametrize("value", [str(U), U.hex.upper(), f"{{{U}}}", f"urn:uuid:{U}"])
def test_uuids_of_other_services_are_written_alike(value):
    assert canonical_uuid(value) == str(U)


@pytest.mark.parametrize("value", ["", "6ae013d4", 7, None, [str(U)]])
def test_other_values_of_other_services_are_not_uuids(value):
    assert canonical_uuid(value) is None
