"""Sign in to the admin in tests, and read what its pages show."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from enterprise_catalog.apps.core.models import User


def signed_in(username: str, *permissions: str, is_superuser: bool = False) -> Client:
    """Return a client that a staff user with these permissions, each `app.codename`, is signed in to."""
    user = User.objects.create(username=username, is_staff=True, is_superuser=is_superuser)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


def page(model: type[Model], name: str, *args: Any) -> str:
    """Return the path of an admin page of a model, such as `changelist` or `change`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def texts(response: Any) -> list[str]:
    """Return the messages on a page."""
    return [str(message) for message in response.context["messages"]]


def errors(response: Any) -> dict[str, list[str]]:
    """Return the errors of a page's form by field."""
    return dict(response.context["adminform"].form.errors)


def listed(client: Client, model: type[Model], **query: str) -> set[Model]:
    """Return the rows that a model's list shows."""
    return set(client.get(page(model, "changelist"), query).context["cl"].result_list)
