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


def seen(chrome, path: str) -> list[str]:
    """Return the problems that the browser had with a page."""
    chrome.open(path)
    wrong = [*chrome.violations(), *chrome.complaints()]
    # The console also reports pages with an error status, which some of these are meant to have.
    wrong = [problem for problem in wrong if "the server responded with a status of" not in problem]
    found = {part.strip() for part in (chrome.policy() or "").split(";")}
    return [f"{path}: {problem}" for problem in [*wrong, *(["another policy"] if found != POLICY else [])]]


def test_every_page_keeps_to_its_policy(chrome, pages):
    make_the_rest()
    chrome.watch_policy()
    problems = [problem for path in ("/admin/login/", "/api/docs/", "/api-docs") for problem in seen(chrome, path)]
    chrome.sign_in()
    others = ["/admin/catalog/", "/admin/password_change/", "/admin/password_change/done/", "/admin/nowhere/"]
    others += ["/complete/edx-oauth2/"]
    for path in dict.fromkeys([*pages, *of_models(), *others]):
        problems += seen(chrome, path)
    assert not problems, "\n".join(problems)


def test_the_boxes_that_scripts_make_keep_to_it(chrome, pages):
    """Elements that the page's own scripts create later, as people type, choose and open."""
    chrome.watch_policy()
    chrome.sign_in()
    catalog = EnterpriseCatalog.objects.get()
    chrome.open(reverse("admin:catalog_enterprisecatalog_change", args=[catalog.pk]))
    chrome.type("content_filter", '{"content_type": "course", "level_type": ')
    assert chrome.reads_soon("Expecting value")
    assert [*chrome.violations(), *chrome.complaints()] == []
    chrome.open(reverse("admin:access_enterprisecatalogroleassignment_add"))
    chrome.choose("user", "olga")
    assert [*chrome.violations(), *chrome.complaints()] == []
    chrome.open(f"/admin/core/user/{User.objects.get().pk}/change/")
    chrome.click(".field-last_login .datetimeshortcuts a, .field-date_joined .datetimeshortcuts a")
    assert [*chrome.violations(), *chrome.complaints()] == []


def test_the_way_to_the_lms_and_refused_pages_keep_to_it(chrome, sandbox, settings, live_server):
    """The LMS is another site: the policy of the page would block a form that is redirected there."""
    EnterpriseCatalogFactory.create()
    point_sign_in_at(sandbox, settings, service=live_server.url)
    chrome.watch_policy()
    chrome.open("/admin/login/")
    chrome.press("Sign in with the LMS")
    assert chrome.reads_soon("Sandbox LMS")
    chrome.type("username", "lena")
    chrome.press("Sign in")
    assert chrome.reads("Not signed in")
    assert chrome.violations() == []


def test_a_page_that_says_that_sign_ins_are_locked_keeps_to_it(chrome, settings):
    settings.AXES_FAILURE_LIMIT = 1
    chrome.watch_policy()
    chrome.open("/admin/login/")
    chrome.type("username", "olga")
    chrome.type("password", "wrong horse battery staple")
    chrome.press("Log in")
    assert chrome.reads("Not now")
    assert chrome.violations() == []


def test_what_a_policy_does_not_allow_is_seen(chrome):
    """The tests above can fail."""
    chrome.watch_policy()
    chrome.open("/admin/login/")
    chrome._browser.execute_script(
        "const style = document.createElement('style'); style.textContent = 'p {color: red}';"
        "document.head.append(style); document.body.setAttribute('onclick', 'alert(1)');"
    )
    assert [problem.split(":")[0] for problem in chrome.violations()] == ["style-src-elem", "script-src-attr"]
    assert len(chrome.complaints()) == 2
