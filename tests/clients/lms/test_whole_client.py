"""Every method of the released client is tested."""

import pytest

from tests.clients.lms.conftest import METHODS, called


@pytest.mark.last
def test_every_public_method_was_called():
    """A new release brings a new method: it fails here until a test calls it."""
    assert len(METHODS) >= 16
    assert set(METHODS.values()) - called == set()
