"""Pages consist of files of this service only, and work so in a real browser (SEC-3)."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group
from django.urls import reverse

from enterprise_catalog.apps.access.models import EnterpriseCatalogFeatureRole, EnterpriseCatalogRoleAssignment
from enterprise_catalog.apps.catalog.models import CourseReview, EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.testing.factories import EnterpriseCatalogFactory, EnterpriseCustomerFactory
from tests.sandbox_services import point_sign_in_at

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
    """Create a row of each model that `pages` has none of."""
    role, _ = EnterpriseCatalogFeatureRole.objects.get_or_create(name="enterprise_learner")
    EnterpriseCatalogRoleAssignment.objects.create(user=User.objects.get(), role=role)
    EnterpriseCustomerFactory.create()
    CourseReview.objects.create(course_key="edX+DemoX", reviews_count=3, avg_course_rating=4.5)
    Group.objects.get_or_create(name="Catalog support")


def of_models() -> list[str]:
    """Return for every model in the admin: its list, its empty form, and all pages of a row."""
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


def seen(admin_browser, path: str) -> list[str]:
    """Return the problems that the browser had with a page."""
    admin_browser.open(path)
    wrong = [*admin_browser.violations(), *admin_browser.complaints()]
    # The console also reports pages with an error status, which some of these are meant to have.
    wrong = [problem for problem in wrong if "the server responded with a status of" not in problem]
    found = {part.strip() for part in (admin_browser.policy() or "").split(";")}
    return [f"{path}: {problem}" for problem in [*wrong, *(["another policy"] if found != POLICY else [])]]


def test_every_page_keeps_to_its_policy(admin_browser, pages):
    make_the_rest()
    admin_browser.watch_policy()
    problems = [
        problem for path in ("/admin/login/", "/api/docs/", "/api-docs") for problem in seen(admin_browser, path)
    ]
    admin_browser.sign_in()
    others = ["/admin/catalog/", "/admin/password_change/", "/admin/password_change/done/", "/admin/nowhere/"]
    others += ["/complete/edx-oauth2/"]
    for path in dict.fromkeys([*pages, *of_models(), *others]):
        problems += seen(admin_browser, path)
    assert not problems, "\n".join(problems)


def test_the_boxes_that_scripts_make_keep_to_it(admin_browser, pages):
    """Elements that the page's own scripts create later, as people type, choose and open."""
    admin_browser.watch_policy()
    admin_browser.sign_in()
    catalog = EnterpriseCatalog.objects.get()
    admin_browser.open(reverse("admin:catalog_enterprisecatalog_change", args=[catalog.pk]))
    admin_browser.type("content_filter", '{"content_type": "course", "level_type": ')
    assert admin_browser.reads_soon("Expecting value")
    assert [*admin_browser.violations(), *admin_browser.complaints()] == []
    admin_browser.open(reverse("admin:access_enterprisecatalogroleassignment_add"))
    admin_browser.choose("user", "olga")
    assert [*admin_browser.violations(), *admin_browser.complaints()] == []
    admin_browser.open(f"/admin/core/user/{User.objects.get().pk}/change/")
    admin_browser.click(".field-last_login .datetimeshortcuts a, .field-date_joined .datetimeshortcuts a")
    assert [*admin_browser.violations(), *admin_browser.complaints()] == []


def test_the_way_to_the_lms_and_refused_pages_keep_to_it(admin_browser, sandbox, settings, live_server):
    """The LMS is another site: the policy of the page would block a form that is redirected there."""
    EnterpriseCatalogFactory.create()
    point_sign_in_at(sandbox, settings, service=live_server.url)
    admin_browser.watch_policy()
    admin_browser.open("/admin/login/")
    admin_browser.press("Sign in with the LMS")
    assert admin_browser.reads_soon("Sandbox LMS")
    admin_browser.type("username", "lena")
    admin_browser.press("Sign in")
    assert admin_browser.reads("Not signed in")
    assert admin_browser.violations() == []


def test_a_page_that_says_that_sign_ins_are_locked_keeps_to_it(admin_browser, settings):
    settings.AXES_FAILURE_LIMIT = 1
    admin_browser.watch_policy()
    admin_browser.open("/admin/login/")
    admin_browser.type("username", "olga")
    admin_browser.type("password", "wrong horse battery staple")
    admin_browser.press("Log in")
    assert admin_browser.reads("Not now")
    assert admin_browser.violations() == []


def test_what_a_policy_does_not_allow_is_seen(admin_browser):
    """The tests above can fail."""
    admin_browser.watch_policy()
    admin_browser.open("/admin/login/")
    admin_browser._browser.execute_script(
        "const style = document.createElement('style'); style.textContent = 'p {color: red}';"
        "document.head.append(style); document.body.setAttribute('onclick', 'alert(1)');"
    )
    assert [problem.split(":")[0] for problem in admin_browser.violations()] == ["style-src-elem", "script-src-attr"]
    assert len(admin_browser.complaints()) == 2
