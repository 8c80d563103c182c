"""Parameters and bodies as plain values (COM-11, COM-12, COM-16, ERR-3, ERR-4)."""

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from enterprise_catalog.apps.api.common.params import body_keys, boolean, query_keys, query_uuid


def request(query: str) -> Request:
    return Request(APIRequestFactory().get(f"/?{query}"))


@pytest.mark.parametrize("text", ["true", "1", "YES", "on", "T", "y"])
def test_booleans_that_are_true(text):  # COM-11
    assert boolean(request(f"flag={text}"), "flag") is True


@pytest.mark.parametrize("query", ["flag=false", "flag=0", "flag=No", "flag=off", "flag=F", "flag=n", "flag=", ""])
def test_booleans_that_are_false(query):  # COM-11
    assert boolean(request(query), "flag") is False


@pytest.mark.parametrize("text", ["2", "maybe", "null", "%20"])
def test_what_is_not_a_boolean_is_refused(text):  # COM-11
    with pytest.raises(ValidationError) as error:
        boolean(request(f"flag={text}"), "flag")
    assert error.value.detail == {"flag": ["Must be a valid boolean."]}


@pytest.mark.parametrize("text", ["edX+DemoX", "edX%2BDemoX", "edX%20DemoX"])
def test_spaces_in_keys_become_plus(text):  # COM-12
    assert query_keys(request(f"k={text}"), "k") == ["edX+DemoX"]


def test_keys_repeat_and_are_never_split():  # COM-12
    assert query_keys(request("k=a,b&k=C"), "k") == ["a,b", "C"]


def test_present_but_empty_is_given():  # ERR-3
    assert query_keys(request("k="), "k") == [""]
    assert query_keys(request(""), "k") is None


@pytest.mark.parametrize("value", [None, "edX+DemoX", {"a": 1}, [1], [None], ["a", ["b"]]])
def test_a_body_list_holds_strings_only(value):
    with pytest.raises(ValidationError) as error:
        body_keys({"k": value}, "k")
    assert error.value.detail == {"k": ["Must be a list of strings."]}


@pytest.mark.parametrize("body", [[], "text", None, 7])
def test_a_body_is_an_object(body):
    with pytest.raises(ValidationError):
        body_keys(body, "k")


def test_query_uuids():
    assert query_uuid(request("c="), "c") is None
    with pytest.raises(ValidationError):
        query_uuid(request("c=x"), "c")
