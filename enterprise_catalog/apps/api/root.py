"""The answer at `/`: links to the documentation, the schema, the health check and the admin."""

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe


@csrf_exempt
@require_safe
def home(request: HttpRequest) -> JsonResponse:
    """Return the links. Needs no token and reads no rows."""
    names = {"documentation": "docs", "schema": "schema", "health": "health", "admin": "admin:index"}
    return JsonResponse({what: request.build_absolute_uri(reverse(name)) for what, name in names.items()})
