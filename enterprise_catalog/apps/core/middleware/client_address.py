"""
Find out which address a request comes from.

The peer is the other end of the connection: the caller, or a proxy in front of this service. X-Forwarded-For is
believed only for as many proxies as TRUSTED_PROXIES says.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address

# Bits. One subscriber gets a network of this size, and chooses addresses in it freely.
_IPV6_PREFIX = 64


def peer(request: HttpRequest) -> Address | None:
    """Return the other end of the connection; None if it has no address, as a Unix socket."""
    return _address(request.META.get("REMOTE_ADDR", ""))


def caller(request: HttpRequest) -> Address | None:
    """
    Return the address by which failed sign-ins are counted: IPv4, or the first address of an IPv6 network of 64 bits.

    Each of TRUSTED_PROXIES proxies appends its peer to X-Forwarded-For; entries before theirs are the caller's own
    claim. Return None if the address is unknown: the header holds fewer entries than there are proxies, or it is
    present although TRUSTED_PROXIES is not set, so that the peer may be a proxy for everybody.
    """
    forwarded = [entry for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        found = _address(forwarded[-proxies]) if len(forwarded) >= proxies else None
    else:
        found = None if forwarded and proxies is None else peer(request)
    if isinstance(found, IPv6Address):
        return ip_network((found.packed, _IPV6_PREFIX), strict=False).network_address
    return found


def _address(text: str) -> Address | None:
    """Parse an address. Some proxies add the port, and IPv6 then has brackets."""
    text = text.strip()
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # A socket for both versions writes IPv4 in this form.
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
