"""
Sign-in through the LMS requires a token of our LMS for the sign-in that this browser began, and a staff user here.

Requirements: AUTH-4, AUTH-5, AUTH-6. The LMS is the sandbox, over HTTP; the browser is a test client that follows
redirects.
"""

import json
import re
import time
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.apps import apps
from django.test import Client

from enterprise_catalog.apps.access import lms_sign_in
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.sandbox.keys import user_claims
from enterprise_catalog.sandbox.sandbox import Sandbox
from enterprise_catalog.sandbox.sign_in import SHARED_SECRET
from tests.sandbox_services import point_sign_in_at

pytestmark = pytest.mark.django_db

SERVICE = "http://testserver"
FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Person:
    """A person with a browser and an account at the LMS."""

    username: str
    browser: Client = field(default_factory=Client)

    def begin(self, **form: str) -> str:
        """Press the button, and return the URL of the redirect."""
        response = self.browser.post("/login/edx-oauth2/", form)
        assert response.status_code == 200
        shown = re.search(r'id="to-lms" href="([^"]+)"', response.content.decode())
        assert shown
        return unescape(shown[1])

    def agree(self, page: str, **form: str) -> str:
        """Submit the LMS's page, and return path and query of the redirect."""
        answer = requests.post(page, data={"username": self.username, **form}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"].removeprefix(SERVICE)

    def sign_in(self, **form: str) -> Any:
        return self.browser.get(self.agree(self.begin(**form)))

    def is_in(self) -> bool:
        return self.browser.get("/admin/").status_code == 200


@pytest.fixture(autouse=True)
def lms(sandbox, settings) -> Sandbox:
    point_sign_in_at(sandbox, settings, service=SERVICE)
    return sandbox


def staff(username: str, **fields: Any) -> User:
    return User.objects.create(username=username, is_staff=True, **fields)


def superuser(*, email: str = "olga@example.org") -> User:
    """A superuser without a password."""
    return User.objects.create_superuser("olga", email)


def test_a_member_of_staff_comes_in():
    staff("stan")
    person = Person("stan")
    assert person.sign_in()["Location"] == "/admin/"
    assert person.is_in()


def test_it_is_the_row_that_callers_with_tokens_have(lms):  # AUTH-5
    token = lms.token(username="stan")
    assert Client(headers={"Authorization": f"JWT {token}"}).get("/api/v1/enterprise-catalogs/").status_code == 403
    User.objects.update(is_staff=True)
    person = Person("stan")
    person.sign_in()
    assert User.objects.get().pk == int(person.browser.session["_auth_user_id"])


def test_who_is_not_staff_is_told_so_and_gets_no_session():
    person = Person("lena")
    response = person.sign_in()
    assert response.status_code == 403
    assert "who is not staff in this service" in response.content.decode()
    assert "_auth_user_id" not in person.browser.session
    # So that somebody can give her the status.
    assert User.objects.get(username="lena").has_usable_password() is False


def test_staff_and_superuser_of_the_lms_are_nobody_here():  # AUTH-5
    staff("stan")
    for username, status in (("root", 403), ("stan", 302)):
        person = Person(username)
        assert person.browser.get(person.agree(person.begin(), administrator="on")).status_code == status
    assert User.objects.get(is_staff=True).username == "stan"
    assert not User.objects.filter(is_superuser=True).exists()


def test_a_deactivated_user_stays_out():  # AUTH-6
    staff("stan", is_active=False)
    person = Person("stan")
    response = person.sign_in()
    assert (response.status_code, person.is_in()) == (403, False)
    assert "deactivated" in response.content.decode()


def test_a_user_who_is_deactivated_later_is_out_at_once():  # AUTH-6
    user = staff("stan")
    person = Person("stan")
    person.sign_in()
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not person.is_in()


def test_an_account_with_a_password_is_not_opened_by_its_name():
    """Made here, before somebody at the LMS had that name, or without a look at who has it."""
    User.objects.create_superuser("ops", "ops@example.org", "a password")
    person = Person("ops")
    response = person.sign_in()
    assert (response.status_code, person.is_in()) == (403, False)
    assert "signs in with a password of this service" in response.content.decode()


def test_an_email_address_opens_no_other_account(lms):
    """Whoever gives themselves the address of a superuser at the LMS is still only who they are (AUTH-5)."""
    superuser(email="mallory@example.org")
    response = Person("mallory").sign_in()
    assert response.status_code == 403
    assert list(User.objects.filter(is_staff=True).values_list("username", flat=True)) == ["olga"]


@pytest.mark.parametrize("username", ["Olga", "ÓLGA", "olga "])
def test_a_name_that_is_like_a_superusers_is_not_theirs(username):  # AUTH-5
    superuser()
    person = Person(username)
    assert person.sign_in().status_code == 403
    assert not person.is_in()


def forged(lms: Sandbox, *, key: Any = FOREIGN_KEY, algorithm: str | None = "RS512", **changes: Any) -> str:
    claims = user_claims(username="olga", issuer=lms.config.issuer, audience=lms.config.audience) | changes
    return jwt.encode(claims, key, algorithm=algorithm)


def test_the_tokens_below_differ_from_a_good_one_in_one_thing_each(lms):
    superuser()
    lms.add_fault(endpoint="token", merge={"access_token": lms.token(username="olga")})
    assert Person("olga").sign_in().status_code == 302


FORGED = {
    "foreign key": lambda lms: forged(lms),
    "unsigned": lambda lms: forged(lms, key=None, algorithm=None),
    "the LMS's shared secret": lambda lms: forged(lms, key=SHARED_SECRET, algorithm="HS256"),
    "the public key as a secret": lambda lms: forged(lms, key=lms.jwks()["keys"][0]["n"], algorithm="HS256"),
    "other issuer": lambda lms: lms.token(username="olga", iss="https://lms.example.org/oauth2"),
    "other audience": lambda lms: lms.token(username="olga", aud="another-service"),
    "expired": lambda lms: lms.token(username="olga", exp=int(time.time()) - 1),
    "nameless": lambda lms: lms.token(username="olga", preferred_username=None),
    "not a name": lambda lms: lms.token(username="olga", preferred_username="ol\x00ga"),
    "opaque": lambda lms: "opaque",
    "empty": lambda lms: "",
    "no text": lambda lms: {"is": "olga"},
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_token_that_our_lms_did_not_sign_for_us_opens_nothing(kind, lms):  # AUTH-4
    superuser()
    lms.add_fault(endpoint="token", merge={"access_token": FORGED[kind](lms)})
    person = Person("olga")
    response = person.sign_in()
    assert response.status_code in (403, 502)
    assert b"Not signed in" in response.content
    assert not person.is_in()


def test_what_stands_beside_the_token_names_nobody(lms):
    """A name in the LMS's answer, outside what is signed, is no name."""
    superuser()
    lms.add_fault(endpoint="token", merge={"preferred_username": "olga", "username": "olga", "administrator": True})
    assert Person("mallory").sign_in().status_code == 403


def test_an_empty_key_set_verifies_nothing(lms, settings):
    """The trap, should the check at the start ever be passed by (AUTH-4)."""
    staff("stan")
    settings.JWT_AUTH = settings.JWT_AUTH | {"JWT_PUBLIC_SIGNING_JWK_SET": ""}
    assert Person("stan").sign_in().status_code == 502


@pytest.mark.parametrize("answer", [{"drop": True}, {"status": 500}, {"raw": "[]"}, {"raw": "{}"}, {"malformed": True}])
def test_an_lms_that_fails_is_not_an_error_of_ours(lms, answer):
    staff("stan")
    lms.add_fault(endpoint="token", **answer)
    person = Person("stan")
    assert (person.sign_in().status_code, person.is_in()) == (502, False)


def test_an_lms_that_drips_is_not_waited_for(lms, settings):
    """One byte now and then, each in time (P6)."""
    settings.SOCIAL_AUTH_EDX_OAUTH2_REQUESTS_TIMEOUT = 1
    staff("stan")
    lms.add_fault(endpoint="token", drip=15)
    person = Person("stan")
    began = time.monotonic()
    assert (person.sign_in().status_code, person.is_in()) == (502, False)
    assert time.monotonic() - began < 10


def test_of_a_process_few_threads_wait_for_the_lms(settings):  # P6
    staff("stan")
    person = Person("stan")
    page = person.agree(person.begin())
    for _ in range(2):
        assert lms_sign_in._waiting_threads.acquire(blocking=False)
    try:
        assert person.browser.get(page).status_code == 502
    finally:
        lms_sign_in._waiting_threads.release(2)


@pytest.mark.parametrize("target", ["/admin/" + "x" * 3000, "https://elsewhere.example/", "//elsewhere.example"])
def test_little_is_kept_of_who_begins(target):
    person = Person("stan")
    person.begin(next=target)
    assert len(person.browser.cookies[lms_sign_in.COOKIE].value) < 500
    assert person.browser.cookies[lms_sign_in.COOKIE]["max-age"] <= 1800


def test_who_begins_leaves_no_row_behind():  # SEC-2
    """However often, whatever comes back, and on the way by password, too."""
    rows = {model: model._default_manager.count() for model in apps.get_models()}
    for _ in range(3):
        person = Person("stan")
        person.browser.get("/admin/")
        person.browser.get("/admin/login/?next=/admin/")
        person.begin(next="/admin/catalog/")
        person.begin()
        person.browser.get("/complete/edx-oauth2/", {"error": "access_denied", "state": "x"})
        person.browser.get("/complete/edx-oauth2/", {"code": "x", "state": "x"})
        person.browser.get(person.agree(person.begin(), cancel="1"))
    assert {model: model._default_manager.count() for model in apps.get_models()} == rows


def test_who_is_in_stays_in_as_by_password(settings):
    staff("stan")
    person = Person("stan")
    person.sign_in()
    assert person.browser.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_who_cancels_at_the_lms_is_not_signed_in():
    staff("stan")
    person = Person("stan")
    response = person.browser.get(person.agree(person.begin(), cancel="1"))
    assert (response.status_code, person.is_in()) == (403, False)


def test_a_wrong_secret_is_told_to_the_operators(settings, caplog):
    staff("stan")
    settings.SOCIAL_AUTH_EDX_OAUTH2_SECRET = "another one"
    assert Person("stan").sign_in().status_code == 502
    assert "invalid_setting" in caplog.text
    assert "another one" not in caplog.text


# What the browser brings back


@pytest.mark.parametrize("error", ["server_error", "access_denied", "invalid_request"])
def test_an_error_that_the_lms_did_not_send_is_not_a_warning(error, caplog):
    """The log warns of what the LMS says, not of what anybody writes into an address."""
    person = Person("stan")
    person.begin()
    response = person.browser.get(
        "/complete/edx-oauth2/", {"error": error, "error_description": "Call 5550142", "state": "x"}
    )
    assert response.status_code == 403
    # Longer than a number that may stand in a nonce by chance.
    assert b"5550142" not in response.content
    assert "lms_sign_in_failed" not in caplog.text


def test_an_answer_is_taken_once():
    staff("stan")
    person = Person("stan")
    back = person.agree(person.begin())
    assert person.browser.get(back).status_code == 302
    person.browser.logout()
    assert person.browser.get(back).status_code == 403


def test_a_code_is_of_no_use_with_another_state(lms):
    """Nor is it sent to the LMS, where it would be spent."""
    staff("stan")
    person = Person("stan")
    code = parse_qs(urlsplit(person.agree(person.begin())).query)["code"][0]
    for state in ("", "elephant", "x" * 200):
        response = person.browser.get("/complete/edx-oauth2/", {"code": code, "state": state})
        assert response.status_code == 403
    assert not [call for call in lms.calls("token") if "code" in call.body]


def test_an_answer_is_of_no_use_in_another_browser():
    """Nobody can be signed in as somebody else by a link."""
    staff("mallory")
    link = Person("mallory").agree(Person("mallory").begin())
    victim = Person("olga")
    victim.begin()
    assert victim.browser.get(link).status_code == 403
    assert not victim.is_in()


def test_a_state_does_not_last(settings):
    staff("stan")
    person = Person("stan")
    back = person.agree(person.begin())
    begun = lms_sign_in._StateSession(person.browser.cookies[lms_sign_in.COOKIE].value)
    for name, kept in begun.items():
        if name.startswith("edx-oauth2_oauth2_state_"):
            begun[name] = kept | {"timestamp": kept["timestamp"] - settings.SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME - 1}
    begun.save()
    person.browser.cookies[lms_sign_in.COOKIE] = begun.session_key
    assert person.browser.get(back).status_code == 403


def test_what_a_browser_keeps_it_cannot_change():  # SEC-2
    staff("stan")
    person = Person("stan")
    back = person.agree(person.begin())
    kept = person.browser.cookies[lms_sign_in.COOKIE].value
    person.browser.cookies[lms_sign_in.COOKIE] = f"x{kept}"
    assert person.browser.get(back).status_code == 403


def test_no_other_site_can_begin_a_sign_in():
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/login/edx-oauth2/").status_code == 403
    assert strict.get("/login/edx-oauth2/").status_code == 405


def test_the_session_is_another_one_afterwards():
    staff("stan")
    person = Person("stan")
    page = person.begin()
    assert "sessionid" not in person.browser.cookies
    person.browser.cookies["sessionid"] = "chosen0by0somebody0else0000000000"
    person.browser.get(person.agree(page))
    assert person.browser.cookies["sessionid"].value != "chosen0by0somebody0else0000000000"
    fixed = Client()
    fixed.cookies["sessionid"] = "chosen0by0somebody0else0000000000"
    assert fixed.get("/admin/").status_code == 302


def test_whoever_was_signed_in_before_is_out_as_soon_as_another_begins():
    staff("stan")
    person = Person("lena")
    person.browser.force_login(User.objects.get(username="stan"))
    assert person.sign_in().status_code == 403
    assert not person.is_in()


# Where one goes afterwards


def test_one_comes_out_where_one_wanted_to_go():
    staff("stan")
    assert Person("stan").sign_in(next="/admin/catalog/?x=1")["Location"] == "/admin/catalog/?x=1"


ELSEWHERE = [
    "//evil.example",
    "https://evil.example/admin/",
    r"/\evil.example",
    "///evil.example",
    "javascript:x",
    "a\nb",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_other_site_is_where_one_comes_out(target):
    staff("stan")
    response = Person("stan").sign_in(next=target)
    assert urlsplit(response["Location"]).netloc == ""
    assert "evil" not in response["Location"]


def test_where_to_go_is_not_taken_from_the_way_back():
    staff("stan")
    person = Person("stan")
    assert person.browser.get(person.agree(person.begin()) + "&next=https://evil.example/")["Location"] == "/admin/"


def test_the_lms_is_told_the_way_back_and_the_scopes(lms):
    query = parse_qs(urlsplit(Person("stan").begin()).query)
    assert query["redirect_uri"][0].startswith(f"{SERVICE}/complete/edx-oauth2/")
    assert query["scope"] == ["user_id profile email"]


def test_production_has_no_way_back_without_tls(settings):
    settings.SOCIAL_AUTH_REDIRECT_IS_HTTPS = True
    query = parse_qs(urlsplit(Person("stan").begin()).query)
    assert query["redirect_uri"][0].startswith("https://testserver/complete/")


# Without a client


@pytest.mark.parametrize("path", ["/login/edx-oauth2/", "/complete/edx-oauth2/"])
def test_without_a_client_there_is_nothing(path, settings):
    settings.SOCIAL_AUTH_EDX_OAUTH2_KEY = ""
    client = Client()
    responses = client.post(path), client.get(path)
    assert {response.status_code for response in responses} <= {404, 405}
    assert "LMS" not in client.get("/admin/login/").content.decode()


@pytest.mark.parametrize("path", ["/disconnect/edx-oauth2/", "/login/", "/logout/", "/idp-launch/edx-oauth2/"])
def test_the_librarys_other_pages_are_not_there(path):
    assert Client().post(path).status_code == 404
    assert Client().get(path).status_code == 404


def test_the_password_form_works_with_and_without_it(settings):
    User.objects.create_superuser("olga", "olga@example.org", "a password")
    for key in (settings.SOCIAL_AUTH_EDX_OAUTH2_KEY, ""):
        settings.SOCIAL_AUTH_EDX_OAUTH2_KEY = key
        response = Client().post("/admin/login/", {"username": "olga", "password": "a password", "next": "/admin/"})
        assert response["Location"] == "/admin/"


def test_nothing_secret_is_logged_or_kept(lms, caplog):
    """No token, name or address in the log, and no token in the session."""
    staff("stan")
    person = Person("stan")
    with caplog.at_level("DEBUG"):
        person.sign_in()
        Person("lena").sign_in()
    told = caplog.text + json.dumps(dict(person.browser.session))
    assert not [word for word in ("eyJ", "stan", "lena", "example.org") if word in told]
