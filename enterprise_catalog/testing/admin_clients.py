"""Who looks through the window, what they type, and what they see."""

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from enterprise_catalog.apps.core.models import User


def signed_in(username: str, *permissions: str, is_superuser: bool = False) -> Client:
    """A browser of a member of staff with these permissions, each `app.codename`."""
    user = User.objects.create(username=username, is_staff=True, is_superuser=is_superuser)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def texts(response: Any) -> list[str]:
    """The messages on the page."""
    return [str(message) for message in response.context["messages"]]


def errors(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def listed(client: Client, model: type[Model], **query: str) -> set[Model]:
    return set(client.get(page(model, "changelist"), query).context["cl"].result_list)
