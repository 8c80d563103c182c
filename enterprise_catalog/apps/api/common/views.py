"""
What every endpoint shares: the order in which a request is checked (AUTH-9), and which surface it is asked on. Nothing
else about catalogs.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from django.db import Error
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_catalog.apps.api.common.throttling import UserThrottle
from enterprise_catalog.apps.catalog.api_versions import V1, ApiVersion
from enterprise_catalog.apps.catalog.exceptions import QueryGone
from enterprise_catalog.apps.core.db import replica
from enterprise_catalog.apps.core.db.snapshots import InconsistentRead, snapshot

# What a replica that is away, or that has yet to hear of what was written, makes of a request.
_OTHERWISE_ON_THE_PRIMARY = (Error, NotFound, PermissionDenied, QueryGone)


class ApiView(APIView):
    """
    Authentication, then renderer, then method, then throttle (ADR 0014); objects, permissions, body and parameters are
    each view's, in that order.
    """

    # OPTIONS is answered for CORS before any view, and is no method of the API.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    throttle_classes = [UserThrottle]
    # What a view reads by; v2 has the same views with another surface.
    api_version: ApiVersion = V1
    # Most answers depend on the caller's roles; the others are for everybody who is known (PERM-8). For the OpenAPI
    # document only: the check itself is each view's.
    asks_for_role = True
    # For views that read nothing but content: a replica may answer them, if there is one (ADR 0018).
    may_read_replica = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = self.get_format_suffix(**kwargs)
        self.perform_authentication(request)
        self.check_permissions(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if not hasattr(self, (request.method or "").lower()):
            self.http_method_not_allowed(request)
        self.check_throttles(request)
        if self.may_read_replica:
            replica.read_from_replica()

    def handle_exception(self, exc: Exception) -> Response:
        """
        Three things are cured by making the answer again, from the catalog on. The replica failed, or has not heard of
        something yet: the primary decides (ADR 0018). Between two statements of a reader, a query may be replaced by
        another one with its filter (QRY-3): catalogs are attached to that one then. Or something is published there
        (P2): in a snapshot, nothing is.
        """
        outcome: Exception | Response = exc
        if replica.is_reading_replica() and isinstance(outcome, _OTHERWISE_ON_THE_PRIMARY):
            replica.fall_back_to_primary(because=outcome)
            outcome = self._made_again()
        if isinstance(outcome, QueryGone):
            outcome = self._made_again()
        if isinstance(outcome, InconsistentRead):
            outcome = self._made_again(snapshot())
        return super().handle_exception(outcome) if isinstance(outcome, Exception) else outcome

    def _made_again(self, moment: AbstractContextManager[None] | None = None) -> Exception | Response:
        """The answer, or why there is none this time either."""
        handler = getattr(self, (self.request.method or "").lower())
        try:
            with moment or nullcontext():
                return cast(Response, handler(self.request, *self.args, **self.kwargs))
        except Exception as error:
            return error
