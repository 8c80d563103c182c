"""The page of today's clients and the table of their calls say the same."""

from scripts.contract_table import requirements
from tests.clients.calls import CALLS, PAGE, TYPES, with_section


def test_the_page_shows_the_table():
    """`python -m tests.clients.calls` writes it."""
    page = PAGE.read_text()
    assert with_section(page) == page


def test_a_change_of_the_page_is_found():
    page = PAGE.read_text()
    for told in ("``num_distinct_query_ids``", "``content_keys={fifty_keys}``", "is an order to delete them all"):
        assert told in page
        assert with_section(page.replace(told, "``something``")) == page


def test_each_rule_about_clients_has_its_calls():  # CLI-1 to CLI-15
    rules = {name for name in requirements() if name.startswith("CLI-")}
    named = {call.rule for call in CALLS}
    assert rules <= named
    assert named <= set(requirements())


def test_calls_are_different_and_each_type_is_of_a_field():
    assert len({(str(call), str(call.body)) for call in CALLS}) == len(CALLS)
    read = {name.removesuffix("?") for call in CALLS for names in call.reads.values() for name in names.split()}
    assert read == TYPES.keys()
