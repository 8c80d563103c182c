"""The base of every view: the order in which a request is checked (AUTH-9), and when its answer is made again."""

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

# What a request raises on a replica that is unavailable or behind.
_RETRY_ON_PRIMARY = (Error, NotFound, PermissionDenied, QueryGone, replica.ReplicaBehind)


class ApiView(APIView):
    """
    Check authentication, then renderer, then method, then throttle (ADR 0014). Each view checks objects, permissions,
    body and parameters, in that order.
    """

    # OPTIONS is not a method of the API: a middleware answers it for CORS.
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    throttle_classes = [UserThrottle]
    # Which columns of visibility, counts and documents a view reads; v2 has the same views with another one.
    api_version: ApiVersion = V1
    # Most answers depend on the caller's roles, some are for every signed-in caller (PERM-8). Only the OpenAPI document
    # reads this: each view checks by itself.
    asks_for_role = True
    # True for views that only read content, which may come from a replica (ADR 0018).
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
        Make the answer again in three cases. If the replica failed or is behind, the primary decides (ADR 0018). If a
        query was deleted between two statements, its catalogs are attached to another one with its filter (QRY-3). If
        something was published between two statements (P2), a snapshot reads all of it at one time.
        """
        outcome: Exception | Response = exc
        if replica.is_reading_replica() and isinstance(outcome, _RETRY_ON_PRIMARY):
            replica.fall_back_to_primary(because=outcome)
            outcome = self._answer_again()
        if isinstance(outcome, QueryGone):
            outcome = self._answer_again()
        if isinstance(outcome, InconsistentRead):
            outcome = self._answer_again(snapshot())
        return super().handle_exception(outcome) if isinstance(outcome, Exception) else outcome

    def _answer_again(self, context: AbstractContextManager[None] | None = None) -> Exception | Response:
        """Return the answer, or the exception that the second attempt raises."""
        handler = getattr(self, (self.request.method or "").lower())
        try:
            with context or nullcontext():
                return cast(Response, handler(self.request, *self.args, **self.kwargs))
        except Exception as error:
            return error
