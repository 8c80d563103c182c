"""Every kind of page of the admin for everybody: by axe-core, on a telephone, in the dark, and by keys alone."""

import pytest
from selenium.webdriver.common.keys import Keys

from enterprise_catalog.apps.catalog.models import CatalogQuery, ContentMetadata, EnterpriseCatalog
from enterprise_catalog.apps.catalog.tests.factories import CatalogQueryFactory, EnterpriseCatalogFactory
from enterprise_catalog.apps.console.tests.people import page
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.operations.previews import preview_filter
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.refresh.pipeline import refresh
from enterprise_catalog.apps.refresh.previewing import preview_next
from enterprise_catalog.apps.refresh.tests.builders import requested

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pages(desk, sandbox) -> list[str]:
    """Their paths, each with something to show; a result is held, since all courses left."""
    query = CatalogQueryFactory.create(content_filter={"content_type": "course"}, title="All courses", named=True)
    catalog = EnterpriseCatalogFactory.create(title="Engineering", catalog_query=query)
    published = requested(query)
    refresh(published.pk)
    sandbox.add_fault(endpoint="search", merge={"count": 0, "results": [], "next": None})
    held = requested(query)
    refresh(held.pk)
    sandbox.clear_faults()
    content = ContentMetadata.objects.filter(content_type="course").earliest("content_key")
    preview = preview_filter(content_filter={"content_type": "program"}, catalog=catalog, user_id=User.objects.get().pk)
    preview_next()
    return [
        "/admin/",
        "/admin/catalog/enterprisecatalog/",
        "/admin/catalog/enterprisecatalog/add/",
        page(EnterpriseCatalog, "change", catalog.pk),
        page(EnterpriseCatalog, "history", catalog.pk),
        f"/admin/catalog/enterprisecatalog/preview/{preview.pk}/",
        page(CatalogQuery, "change", query.pk),
        page(ContentMetadata, "change", content.pk.replace("+", "_2B")),
        page(EnterpriseCatalog, "delete", catalog.pk),
        "/admin/catalog/catalogquery/",
        "/admin/catalog/contentmetadata/",
        "/admin/catalog/catalogcontentchange/",
        "/admin/customers/enterprisecustomer/",
        "/admin/core/user/",
        "/admin/refresh/refreshrun/",
        page(RefreshRun, "change", held.pk),
        f"/admin/where-is-this-content/?content_key={content.pk.replace('+', '%2B')}",
    ]


def at(desk, path: str, shown: str) -> list[str]:
    """What is wrong with a page."""
    desk.open(path)
    wide = ["it has to be moved sideways"] if shown == "narrow" and desk.overflows() else []
    return [f"{path}: {problem}" for problem in [*wide, *desk.obstacles(), *desk.complaints()]]


@pytest.mark.parametrize("shown", ["wide", "narrow", "dark"])
def test_everybody_can_use_every_page(desk, pages, shown):
    if shown != "wide":
        getattr(desk, shown)()
    problems = at(desk, "/admin/login/", shown)
    desk.sign_in()
    problems += [problem for path in pages for problem in at(desk, path, shown)]
    assert not problems, "\n".join(problems)


def test_a_held_result_is_approved_by_keys_alone(desk, pages):
    held = RefreshRun.objects.get(state="held")
    desk.sign_in()
    desk.open(page(RefreshRun, "change", held.pk))
    for _ in range(30):
        desk.key(Keys.TAB)
        if desk.focused().lower() == "approve: publish it":
            break
    desk.key(Keys.ENTER)
    assert desk.reads_soon("will show this result at once")
    for _ in range(30):
        desk.key(Keys.TAB)
        if desk.focused() == "Publish it":
            break
    desk.key(Keys.ENTER)
    assert desk.reads_soon("Approved: the held set is published.")
