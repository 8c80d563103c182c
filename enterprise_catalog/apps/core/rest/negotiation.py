"""Which format an answer has: the suffix or `?format=`, else `Accept` (COM-4)."""

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class ContentNegotiation(DefaultContentNegotiation):
    """An empty `Accept` names no format and refuses none: some HTTP libraries send one when told to send nothing."""

    def get_accept_list(self, request: Request) -> list[str]:
        return [accepted for accepted in super().get_accept_list(request) if accepted] or ["*/*"]
