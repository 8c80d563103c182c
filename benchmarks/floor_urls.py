"""Route the one view of the framework floor."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.views import APIView

from benchmarks.floors import floor_answer


class FloorView(APIView):
    def get(self, request: Request, name: str) -> HttpResponse:
        body = floor_answer(name)
        return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


urlpatterns = [path("<str:name>", FloorView.as_view())]
