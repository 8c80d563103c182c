"""The CSRF token that a frontend on another origin fetches before its first write (AUTH-10)."""

from csrf.api.v1.views import CsrfTokenView as LibraryView
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response


class CsrfTokenView(LibraryView):
    """
    Answer with a CSRF token, and with the cookie that it belongs to.

    Nobody has to be known: a token alone opens nothing. So credentials are not looked at, and bad ones do not matter.
    """

    authentication_classes: list[type] = []
    # OPTIONS is answered by a middleware, for CORS.
    http_method_names = ["get", "head"]

    @extend_schema(
        operation_id="get_csrf_token",
        tags=["service"],
        exclude=False,
        summary="A token for writing with cookies",
        description=(
            "For browsers: writes with cookies need the token as `X-CSRFToken`, and the cookie that comes with it "
            "(AUTH-10). Origins of `CORS_ALLOWED_ORIGINS` may ask from their own pages, with credentials."
        ),
        parameters=[],
        responses=OpenApiResponse(
            {
                "type": "object",
                "properties": {"csrfToken": {"type": "string", "pattern": "^[a-zA-Z0-9]{64}$"}},
                "required": ["csrfToken"],
                "additionalProperties": False,
            },
            "The token.",
        ),
    )
    def get(self, request: Request) -> Response:
        response: Response = super().get(request)
        return response
