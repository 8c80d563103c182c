"""The service's paths, and some whose views fail."""

import os
from collections.abc import Iterator

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from enterprise_catalog import urls
from enterprise_catalog.apps.core.rest.streaming import stream
from tests.contract import planted

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


def bug(request: HttpRequest, key: str) -> HttpResponseBase:
    raise planted.InView(planted.SECRETS)


def broken_stream(request: HttpRequest) -> HttpResponseBase:
    def pieces() -> Iterator[bytes]:
        for _ in range(4):
            yield b"x" * 64 * 1024
        raise planted.InStream

    return stream(request, pieces=pieces, content_type="text/plain", headers={})


def long_stream(request: HttpRequest) -> HttpResponseBase:
    def pieces() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 64 * 1024

    return stream(request, pieces=pieces, content_type="text/plain", headers={})


def suspicious(request: HttpRequest) -> HttpResponseBase:
    raise SuspiciousOperation(planted.SECRETS)


@csrf_exempt
def form(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(str(len(request.POST)))


def writing(request: HttpRequest) -> HttpResponseBase:
    planted.write_past_logging()
    return HttpResponse()


def who(request: HttpRequest) -> HttpResponseBase:
    return HttpResponse(str(os.getpid()))


urlpatterns = [
    path("planted/who/", who),
    path("planted/bug/<key>/", bug),
    path("planted/broken-stream/", broken_stream),
    path("planted/long-stream/", long_stream),
    path("planted/suspicious/", suspicious),
    path("planted/form/", form),
    path("planted/writing/", writing),
    *urls.urlpatterns,
]
