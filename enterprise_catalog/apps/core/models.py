"""The user model, for people who sign in to the admin and for callers with tokens (AUTH-5)."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A local user. Staff, superuser and active are set here, never by a token's claims."""
