"""Answers to HEAD have the headers of the GET and no body (AUTH-9)."""

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import Client, RequestFactory

pytestmark = pytest.mark.django_db


def test_a_head_has_the_length_of_its_get_and_no_body():  # AUTH-9
    request = RequestFactory().head("/health/")
    response = get_wsgi_application().get_response(request)
    assert (response["Content-Length"], response.content) == (Client().get("/health/")["Content-Length"], b"")
