"""People who sign in to the admin."""

import pytest
from django.test import Client

from enterprise_catalog.testing.admin_clients import signed_in


@pytest.fixture
def admin(db) -> Client:
    """A superuser's browser."""
    return signed_in("olga", is_superuser=True)
