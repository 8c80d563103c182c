from uuid import UUID

import pytest

from enterprise_catalog.apps.core.uuids import parse_uuid

U = UUID("6ae013d4-c5c4-474d-8da9-0e559b2448e2")


@pytest.mark.parametrize("text", [str(U), str(U).upper(), U.hex, U.hex.upper()])
def test_case_and_hyphens_do_not_matter(text):  # COM-3, ROLE-5
    assert parse_uuid(text) == U


@pytest.mark.parametrize(
    "value",
    ["", f"{{{U}}}", f"urn:uuid:{U}", f"{U}\n", f" {U}", str(U)[:-1], "6ae013d4c5c4-474d8da90e559b2448e2", 7, None],
)
def test_everything_else_is_no_uuid(value):  # COM-3
    assert parse_uuid(value) is None
