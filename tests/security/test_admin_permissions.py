"""
Every page of the admin, as found in the URLconf, with each kind of user.

Others than staff cannot enter. Staff without permissions can see and do nothing. Staff that may only view cannot change
anything.
"""

import re

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client

from enterprise_catalog.apps.access.tests.test_roles import assign
from enterprise_catalog.apps.catalog.models import CourseReview
from enterprise_catalog.apps.customers.models import EnterpriseCustomer
from enterprise_catalog.testing.callers import CUSTOMER_UUID, cookies_of, token_for
from tests.security.urlconf import Route, all_routes
from tests.security.world import make_world
from tests.security.writes import rolled_back

pytestmark = pytest.mark.django_db

# Signing out would end the visit.
ROUTES = [route for route in all_routes() if route.is_of_admin and route.name != "admin:logout"]
# Pages about oneself, without a row of ours.
OF_ONESELF = ["/admin/", "/admin/login/", "/admin/password_change/", "/admin/password_change/done/", "/admin/jsi18n/"]


@pytest.fixture(autouse=True)
def world():
    world = make_world()
    Group.objects.create(name="support")
    CourseReview.objects.create(course_key="edX+000", reviews_count=1, avg_course_rating=4.5)
    EnterpriseCustomer.objects.get_or_create(uuid=CUSTOMER_UUID)
    assign(get_user_model().objects.create(username="somebody"), "enterprise_learner", CUSTOMER_UUID)
    return world


def path_of(route: Route) -> str:
    """Return a path with an existing object, so that only permissions decide."""
    _, *model = route.prefix.strip("/").split("/")
    row = apps.get_model(".".join(model)).objects.first() if model else None
    name = str(row.pk) if row else "1"
    pattern = route.pattern.strip("^$").replace("(?P<url>.*)", "nowhere")
    pattern = re.sub(r"\(\?P<app_label>([^|)]+)[^)]*\)", r"\1", pattern)
    return "/" + route.prefix + re.sub(r"<[^>]+>|\(\[\^/\]\+\)", name, pattern)


def visits(client: Client) -> dict[tuple[str, str], tuple[int, str, list[str]]]:
    """Return status, redirect and writes of a GET and a POST to every page."""
    outcomes = {}
    for route in ROUTES:
        path = path_of(route)
        for method in ("GET", "POST"):
            with rolled_back() as written:
                response = client.generic(method, path)
            written = [sql for sql in written if "session" not in sql]
            outcomes[method, path] = response.status_code, response.headers.get("Location", ""), written
    return outcomes


def staff(*, view: bool) -> Client:
    user = get_user_model().objects.create(username="stan", is_staff=True)
    if view:
        user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


def test_every_page_is_asked_about_a_row_that_exists():
    models = {tuple(route.prefix.strip("/").split("/")[1:]) for route in ROUTES} - {()}
    assert not [model for model in models if not apps.get_model(*model).objects.exists()]
    assert not [path for path in map(path_of, ROUTES) if re.search(r"[<(^$\[]", path)]


@pytest.mark.parametrize("who", ["anonymous", "operator by token", "operator by cookie", "operator by session"])
def test_who_is_not_staff_is_sent_to_the_sign_in(who):
    client = Client()
    if who == "operator by token":
        client = Client(headers={"Authorization": f"JWT {token_for('olga', 'enterprise_openedx_operator:*')}"})
    if who == "operator by cookie":
        cookies_of(client, token_for("olga", "enterprise_openedx_operator:*"))
    if who == "operator by session":
        user = get_user_model().objects.create(username="olga")
        assign(user, "enterprise_catalog_admin")
        client.force_login(user)
    for (method, path), (status, location, written) in visits(client).items():
        if path == "/admin/login/":
            assert status == 200, (method, path)
        else:
            assert (status, written) == (302, []), (method, path)
            assert location.startswith("/admin/login/"), (method, path, location)


def test_staff_without_permissions_sees_and_changes_nothing():
    for (method, path), (status, location, written) in visits(staff(view=False)).items():
        if path in OF_ONESELF:
            continue
        assert status in (302, 403, 404, 405), (method, path, status)
        assert not written, (method, path, written)
        # To the start page, or to the page of the object, which refuses.
        assert status != 302 or location == "/admin/" or location.startswith(path), (method, path, location)


def test_staff_that_may_view_changes_nothing():
    seen = 0
    for (method, path), (status, _, written) in visits(staff(view=True)).items():
        assert not written, (method, path, written)
        seen += method == "GET" and status == 200
        # Of a model; /admin/refresh/ is the index of an app.
        if re.search(r"^/admin/\w+/\w+/(.+/)?(refresh|approve|reject|delete|add)/$", path):
            assert status in (403, 405), (method, path, status)
    assert seen > 20


def test_the_start_page_of_staff_without_permissions_names_no_row(world):
    page = staff(view=False).get("/admin/").content.decode()
    assert "permission to view or edit anything." in page
    assert str(world.own.uuid) not in page
