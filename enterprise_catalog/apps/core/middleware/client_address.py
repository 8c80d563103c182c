"""
Where a request comes from, as far as that can be known.

The peer is whoever holds the connection: the caller, or a proxy in front of this service. Only proxies that a setting
counts are believed about who is behind them.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address

# What one subscriber has of IPv6, and can change at will.
_IPV6_PREFIX = 64


def peer(request: HttpRequest) -> Address | None:
    """The other end of the connection; None where it has no address, as of a socket in the file system."""
    return _address(request.META.get("REMOTE_ADDR", ""))


def caller(request: HttpRequest) -> Address | None:
    """
    Whose failures are counted together: an IPv4 address, or the first address of an IPv6 network of 64 bits.

    TRUSTED_PROXIES says how many proxies stand in front, each of which appends to X-Forwarded-For whom it talks to;
    what is left of their entries is the caller's own word. None when nobody can say: the header holds fewer entries
    than there are proxies, or it is there although the setting was left open, so that the peer may be a proxy for
    everybody.
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
    """Some proxies add the port, and IPv6 then stands in brackets."""
    text = text.strip()
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # A socket that speaks both writes IPv4 so.
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
