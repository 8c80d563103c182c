"""The user: what signs in to the admin, and what a token's `preferred_username` stands for (AUTH-5)."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A local user. Staff, superuser and active are decided here, never by a token's claims."""
