"""
Ignore path prefixes and schemes that a web server took from headers (COM-16).

Web servers let a trusted proxy, which may be anybody on the same machine, set a prefix of all paths (`SCRIPT_NAME`) and
the scheme (`X-Forwarded-Ssl`, `X-Forwarded-Protocol`, `Forwarded`). Both would end up in `next`, in links and in
redirects. This service runs at the root of its host, behind a proxy that ends TLS. Only the header that
SECURE_PROXY_SSL_HEADER names may say which scheme the caller used.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def at_the_root(application: WSGIApplication) -> WSGIApplication:
    """Wrap a WSGI application so that it sees whole paths and the scheme http."""

    def rooted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        environ["SCRIPT_NAME"] = ""
        environ["wsgi.url_scheme"] = "http"
        return application(environ, start_response)

    return rooted
