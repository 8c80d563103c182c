"""SEC-3: pages are made of files of this service alone, and work so, as a real browser sees it."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.urls import reverse

from enterprise_catalog.apps.access.models import EnterpriseCatalogFeatureRole, EnterpriseCatalogRoleAssignment
from enterprise_catalog.apps.catalog.models import CourseReview, EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory, EnterpriseCustomerFactory
from tests.neighbours import lead_people_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def make_the_rest() -> None:
    """A row of each model that `pages` makes none of."""
    role, _ = EnterpriseCatalogFeatureRole.objects.get_or_create(name="enterprise_learner")
    EnterpriseCatalogRoleAssignment.objects.create(user=User.objects.get(), role=role)
    EnterpriseCustomerFactory.create()
    CourseReview.objects.create(course_key="edX+DemoX", reviews_count=3, avg_course_rating=4.5)
    Group.objects.get_or_create(name="Catalog support")


def of_models() -> list[str]:
    """Of every model in the admin: its list, its empty form, and all pages of one of its rows."""
    paths = []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        row = model._default_manager.first()
        assert row, f"Nothing to show of {model._meta.label}."
        paths += [reverse(f"{name}_{kind}", args=[quote(row.pk)]) for kind in ("change", "history", "delete")]
        if history := getattr(row, "history", None):
            paths.append(reverse(f"{name}_simple_history", args=[row.pk, history.latest().pk]))
    return paths


def seen(desk, path: str) -> list[str]:
    """What is wrong with how the browser took a page."""
    desk.open(path)
    wrong = [*desk.violations(), *desk.complaints()]
    # The browser also says that a page it was led to is none, which some of these are meant to be.
    wrong = [problem for problem in wrong if "the server responded with a status of" not in problem]
    found = {part.strip() for part in (desk.policy() or "").split(";")}
    return [f"{path}: {problem}" for problem in [*wrong, *(["another policy"] if found != POLICY else [])]]


def test_every_page_keeps_to_its_policy(desk, pages):
    make_the_rest()
    desk.watch_policy()
    problems = [problem for path in ("/admin/login/", "/api/docs/", "/api-docs") for problem in seen(desk, path)]
    desk.sign_in()
    others = ["/admin/catalog/", "/admin/password_change/", "/admin/password_change/done/", "/admin/nowhere/"]
    others += ["/complete/edx-oauth2/"]
    for path in dict.fromkeys([*pages, *of_models(), *others]):
        problems += seen(desk, path)
    assert not problems, "\n".join(problems)


def test_the_boxes_that_scripts_make_keep_to_it(desk, pages):
    """What is drawn as somebody types, chooses and opens: by the page's own scripts, after it came."""
    desk.watch_policy()
    desk.sign_in()
    catalog = EnterpriseCatalog.objects.get()
    desk.open(reverse("admin:catalog_enterprisecatalog_change", args=[catalog.pk]))
    desk.type("content_filter", '{"content_type": "course", "level_type": ')
    assert desk.reads_soon("Expecting value")
    assert [*desk.violations(), *desk.complaints()] == []
    desk.open(reverse("admin:access_enterprisecatalogroleassignment_add"))
    desk.choose("user", "olga")
    assert [*desk.violations(), *desk.complaints()] == []
    desk.open(f"/admin/core/user/{User.objects.get().pk}/change/")
    desk.click(".field-last_login .datetimeshortcuts a, .field-date_joined .datetimeshortcuts a")
    assert [*desk.violations(), *desk.complaints()] == []


def test_the_way_to_the_lms_and_refused_pages_keep_to_it(desk, sandbox, settings, live_server):
    """The LMS is another site: a form that led there by a redirect would be stopped by its own page's policy."""
    EnterpriseCatalogFactory.create()
    lead_people_to(sandbox, settings, service=live_server.url)
    desk.watch_policy()
    desk.open("/admin/login/")
    desk.press("Sign in with the LMS")
    assert desk.reads_soon("Sandbox LMS")
    desk.type("username", "lena")
    desk.press("Sign in")
    assert desk.reads("Not signed in")
    assert desk.violations() == []


def test_a_page_that_says_that_sign_ins_are_locked_keeps_to_it(desk, settings):
    settings.AXES_FAILURE_LIMIT = 1
    desk.watch_policy()
    desk.open("/admin/login/")
    desk.type("username", "olga")
    desk.type("password", "wrong horse battery staple")
    desk.press("Log in")
    assert desk.reads("Not now")
    assert desk.violations() == []


def test_what_a_policy_does_not_allow_is_seen(desk):
    """That the tests above can fail."""
    desk.watch_policy()
    desk.open("/admin/login/")
    desk._browser.execute_script(
        "const style = document.createElement('style'); style.textContent = 'p {color: red}';"
        "document.head.append(style); document.body.setAttribute('onclick', 'alert(1)');"
    )
    assert [problem.split(":")[0] for problem in desk.violations()] == ["style-src-elem", "script-src-attr"]
    assert len(desk.complaints()) == 2
