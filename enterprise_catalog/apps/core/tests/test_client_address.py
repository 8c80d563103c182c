"""The address of a caller, with and without proxies in front (SEC-2)."""

import pytest
from django.test import RequestFactory

from enterprise_catalog.apps.core.middleware.client_address import caller, peer

PROXY = "10.0.0.2"


def asked(peer: str, forwarded: str | None = None):
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return RequestFactory(REMOTE_ADDR=peer, headers=headers).get("/")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        # Without proxies the peer is the caller, whatever the header says.
        (0, None, PROXY),
        (0, "203.0.113.9", PROXY),
        # From the right, as many entries count as there are proxies; the rest is the caller's claim.
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1,203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        # Fewer entries than proxies: the address is unknown.
        (1, None, None),
        (1, "", None),
        (2, "203.0.113.9", None),
        (1, "unknown", None),
        # The setting is missing: with the header, the peer may be a proxy for everybody.
        (None, None, PROXY),
        (None, "203.0.113.9", None),
        # Other forms of addresses.
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (1, "fe80::1%eth0", "fe80::"),
    ],
)
def test_the_caller_is_the_peer_of_the_outermost_trusted_proxy(settings, proxies, forwarded, found):  # SEC-2
    settings.TRUSTED_PROXIES = proxies
    address = caller(asked(PROXY, forwarded))
    assert (str(address) if address else None) == found


@pytest.mark.parametrize(("name", "found"), [("", None), ("127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.7", "10.0.0.7")])
def test_a_peer_may_have_no_address(name, found):
    address = peer(asked(name))
    assert (str(address) if address else None) == found
