"""
What a web server may say of the address of a request: its path, and nothing that it took from a header (COM-16).

Servers let headers of a proxy they trust, which may be anybody on the same machine, name a prefix of all paths
(`SCRIPT_NAME`) and the scheme (`X-Forwarded-Ssl`, `X-Forwarded-Protocol`, `Forwarded`). Both would end up in `next`, in
links and in redirects. This service stands at the root of its host, and TLS ends in front of it: the only header that
says so is the one that SECURE_PROXY_SSL_HEADER names.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def at_the_root(application: WSGIApplication) -> WSGIApplication:
    """The same WSGI application, which sees whole paths and plain http, whatever a server made of headers."""

    def rooted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["PATH_INFO"] = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        environ["SCRIPT_NAME"] = ""
        environ["wsgi.url_scheme"] = "http"
        return application(environ, start_response)

    return rooted
