"""The two groups that a migration creates: what their members see and may do in the admin."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client

from enterprise_catalog.apps.catalog.models import CatalogQuery, EnterpriseCatalog
from enterprise_catalog.apps.core.models import User
from enterprise_catalog.apps.refresh.models import RefreshRun
from enterprise_catalog.apps.services.refreshes import request_refresh
from enterprise_catalog.testing.admin_clients import listed, page, signed_in
from enterprise_catalog.testing.factories import CatalogQueryFactory, EnterpriseCatalogFactory

pytestmark = pytest.mark.django_db

migration = import_module("enterprise_catalog.apps.console.migrations.0001_groups")


def migrate() -> None:
    migration.create_groups(apps, SimpleNamespace(connection=connection))


def member(group: str) -> Client:
    client = signed_in(f"of {group}")
    User.objects.get().groups.add(Group.objects.get(name=group))
    return client


@pytest.fixture
def support() -> Client:
    return member("Catalog support")


@pytest.fixture
def operator() -> Client:
    return member("Catalog operators")


@pytest.fixture
def catalog() -> EnterpriseCatalog:
    return EnterpriseCatalogFactory.create(title="Engineering")


@pytest.fixture
def held(catalog) -> RefreshRun:
    run = request_refresh(query=catalog.catalog_query, trigger=RefreshRun.Trigger.OPERATOR)
    RefreshRun.objects.filter(pk=run.pk).update(state=RefreshRun.State.HELD, queued_for=None)
    return run


# What they see


@pytest.mark.parametrize("group", ["Catalog support", "Catalog operators"])
def test_every_list_is_seen(group):
    client = member(group)
    for model in django_admin.site._registry:
        assert client.get(page(model, "changelist")).status_code == 200, model


def test_nobody_of_them_changes_who_may_do_what():
    rights = Permission.objects.filter(group__name__startswith="Catalog ").exclude(codename__startswith="view_")
    assert set(rights.values_list("content_type__app_label", flat=True)) == {"catalog", "refresh"}


# Support


def test_support_refreshes_by_the_button(support, catalog):  # REFR-1
    for row in (catalog, catalog.catalog_query):
        content = support.get(page(type(row), "change", row.pk)).content.decode()
        assert "Refresh now" in content
        assert support.post(page(type(row), "refresh", row.pk)).status_code == 302
    assert RefreshRun.objects.get().requests == 2


def test_support_refreshes_by_the_action(support):
    queries = CatalogQueryFactory.create_batch(2)
    data = {"action": "refresh_now", "_selected_action": [str(query.pk) for query in queries]}
    support.post(page(CatalogQuery, "changelist"), data)
    assert RefreshRun.objects.count() == 2


def test_support_is_shown_nothing_that_it_may_not_do(support, catalog, held):
    for row in (catalog, catalog.catalog_query):
        content = support.get(page(type(row), "change", row.pk)).content.decode()
        assert 'name="_save"' not in content
        assert "deletelink" not in content
    lists = support.get(page(EnterpriseCatalog, "changelist")).content.decode()
    assert "addlink" not in lists
    assert "delete_selected" not in lists
    assert "Approve" not in support.get(page(RefreshRun, "change", held.pk)).content.decode()


def test_support_that_tries_all_the_same_is_refused(support, catalog, held):
    tries = [
        (EnterpriseCatalog, "add", []),
        (CatalogQuery, "add", []),
        (EnterpriseCatalog, "change", [catalog.pk]),
        (CatalogQuery, "change", [catalog.catalog_query_id]),
        (EnterpriseCatalog, "delete", [catalog.pk]),
        (CatalogQuery, "delete", [catalog.catalog_query_id]),
        (RefreshRun, "approve", [held.pk]),
        (RefreshRun, "reject", [held.pk]),
    ]
    for model, name, key in tries:
        response = support.post(page(model, name, *key), {"title": "Mine", "post": "yes"})
        assert response.status_code == 403, (model, name)
    support.post(page(EnterpriseCatalog, "changelist"), {"action": "delete_selected", "_selected_action": catalog.pk})
    assert listed(support, EnterpriseCatalog, title="Engineering") == {catalog}
    assert RefreshRun.objects.get().state == "held"


def test_the_right_to_refresh_without_that_to_look_is_none(catalog):
    client = signed_in("lena", "catalog.refresh_catalogquery")
    assert client.post(page(EnterpriseCatalog, "refresh", catalog.pk)).status_code == 403


# Operators


def test_an_operator_changes_a_catalog_and_refreshes_it(operator, catalog):
    form = operator.get(page(EnterpriseCatalog, "change", catalog.pk)).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"title": "Mathematics"}
    response = operator.post(page(EnterpriseCatalog, "change", catalog.pk), data)
    catalog.refresh_from_db()
    assert (response.status_code, catalog.title) == (302, "Mathematics")
    assert operator.post(page(EnterpriseCatalog, "refresh", catalog.pk)).status_code == 302


def test_an_operator_rejects_a_held_run(operator, held):
    assert "Approve" in operator.get(page(RefreshRun, "change", held.pk)).content.decode()
    operator.post(page(RefreshRun, "reject", held.pk))
    assert RefreshRun.objects.get(pk=held.pk).reason_code == "rejected"


# The migration


def test_migrating_again_gives_nothing_back_and_takes_nothing_away():
    """What an administrator did by hand stays (an upgrade, or going back and forth)."""
    support = Group.objects.get(name="Catalog support")
    support.permissions.set(Permission.objects.filter(codename="delete_enterprisecatalog"))
    migrate()
    assert [right.codename for right in support.permissions.all()] == ["delete_enterprisecatalog"]


def test_a_group_of_that_name_that_was_there_before_gets_no_rights():
    Group.objects.all().delete()
    Group.objects.create(name="Catalog operators")
    migrate()
    assert not Group.objects.get(name="Catalog operators").permissions.exists()
    assert Group.objects.get(name="Catalog support").permissions.exists()


def test_the_permissions_are_made_where_there_are_none_yet():
    """As on a new database, where Django makes them after all migrations."""
    names = dict(Permission.objects.values_list("codename", "name"))
    Group.objects.all().delete()
    Permission.objects.all().delete()
    migrate()
    assert Group.objects.get(name="Catalog operators").permissions.count() > 10
    assert Permission.objects.get(codename="refresh_catalogquery").name == names["refresh_catalogquery"]
