"""Replace Django's command by one that validates a password from the environment, too (SEC-2)."""

import os
from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from enterprise_catalog.apps.core.models import User


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD")
        if password is not None and not options["interactive"]:
            named = {
                field: options[field] or os.environ.get(f"DJANGO_SUPERUSER_{field.upper()}", "")
                for field in (User.USERNAME_FIELD, *User.REQUIRED_FIELDS)
            }
            try:
                validate_password(password, User(**named))
            except ValidationError as error:
                raise CommandError("DJANGO_SUPERUSER_PASSWORD: " + " ".join(error.messages)) from error
        super().handle(*args, **options)
