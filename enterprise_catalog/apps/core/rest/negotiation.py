"""Choose the format of an answer: by suffix or `?format=`, otherwise by `Accept` (COM-4)."""

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class ContentNegotiation(DefaultContentNegotiation):
    """Treat an empty `Accept` as a missing one. Some HTTP libraries send it when told to send none."""

    def get_accept_list(self, request: Request) -> list[str]:
        return [accepted for accepted in super().get_accept_list(request) if accepted] or ["*/*"]
