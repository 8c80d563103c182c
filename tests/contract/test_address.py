"""No header changes a path prefix or the scheme, on the server as it is started (COM-16)."""

from http.client import HTTPConnection

import pytest

from tests.contract.test_metrics_port import web

# gunicorn knows the first four, from whoever comes from the same machine, as this test does.
HEADERS = [
    ("SCRIPT_NAME", "/admin"),
    ("PATH_INFO", "/health/"),
    ("X-Forwarded-Protocol", "ssl"),
    ("X-Forwarded-Ssl", "on"),
    ("Script-Name", "/admin"),
    ("X-Script-Name", "/admin"),
    ("X-Forwarded-Prefix", "/admin"),
    ("X-Forwarded-Host", "evil.example"),
    ("Forwarded", "proto=https;host=evil.example"),
    # Believed where SECURE_PROXY_SSL_HEADER names it, which is in production only.
    ("X-Forwarded-Proto", "https"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with web(tmp_path_factory.mktemp("address")) as (_, url):
        yield url.removeprefix("http://")


@pytest.mark.parametrize("header", HEADERS, ids=[name for name, _ in HEADERS])
def test_no_header_changes_a_redirect_or_a_link(address, header):  # COM-10, COM-16
    for path, expected in (("/admin/", (302, "/admin/login/?next=/admin/")), ("/", (200, None))):
        connection = HTTPConnection(address, timeout=30)
        connection.putrequest("GET", path, skip_host=True)
        for name, value in (("Host", "localhost"), header):
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        assert (response.status, response.getheader("Location")) == expected
        body = response.read()
        assert path != "/" or b'"http://localhost/api/docs/"' in body
        connection.close()
