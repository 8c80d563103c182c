"""Answers as JSON and XML (COM-4, COM-5, COM-13)."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_catalog.apps.core.rest.renderers import JSONRenderer, RawJson, XMLRenderer, to_json, to_xml


def xml(value) -> str:
    return XMLRenderer().render(value).decode()


def test_datetimes_end_in_z_and_hide_zero_microseconds():  # COM-13
    value = datetime(2026, 11, 23, 17, 25, 42, tzinfo=UTC)
    assert to_json([value, value.replace(microsecond=17519)]) == (
        b'["2026-11-23T17:25:42Z","2026-11-23T17:25:42.017519Z"]'
    )


def test_raw_json_is_passed_on_unchanged():
    assert to_json({"results": [RawJson(b'{"b": 1, "a": 2}')]}) == b'{"results":[{"b": 1, "a": 2}]}'


def test_key_order_is_kept():  # COM-14
    assert JSONRenderer().render({"b": 1, "a": None}) == b'{"b":1,"a":null}'


def test_an_answer_without_data_has_an_empty_body():
    assert (JSONRenderer().render(None), XMLRenderer().render(None)) == (b"", b"")


def test_xml_of_everything():  # COM-5
    value = {"a": None, "b": [True, 1.5, "<&>"], "c": UUID(int=1), "d": RawJson(b'{"e":[]}')}
    assert xml(value) == (
        '<?xml version="1.0" encoding="utf-8"?>\n<root><a></a>'
        "<b><list-item>True</list-item><list-item>1.5</list-item><list-item>&lt;&amp;&gt;</list-item></b>"
        "<c>00000000-0000-0000-0000-000000000001</c><d><e></e></d></root>"
    )


@pytest.mark.parametrize("key", ["course-v1:edX+DemoX", "a b", "1a", "", "xmlns", 'quo"te', "<b>"])
def test_a_key_that_is_not_a_name_becomes_an_item(key):  # COM-5
    item = ET.fromstring(xml({key: 1}))[0]
    assert (item.tag, item.get("key"), item.text) == ("item", key, "1")


def test_characters_that_xml_forbids_are_dropped():  # COM-5
    assert to_xml("a\0b\x0bc\ufffed\U0001f600") == "abcd\U0001f600"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(json_values)
def test_every_answer_is_well_formed_xml(value):  # COM-5
    assert ET.fromstring(xml([value])).tag == "root"
