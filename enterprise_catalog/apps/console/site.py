"""The admin site: Django's, with a home of its own and the pages that belong to no single model (`console.pages`)."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from structlog.contextvars import bind_contextvars

from enterprise_catalog.apps.access.sign_in import is_offered
from enterprise_catalog.apps.console.pages.health import health_context
from enterprise_catalog.apps.console.pages.where import where_is_content

_MakePage = Callable[[HttpRequest], tuple[str, dict[str, Any]]]


class ConsoleSite(admin.AdminSite):
    site_header = site_title = "Enterprise catalog"
    index_title = "Catalog health"
    index_template = "console/home.html"
    login_template = "console/login.html"
    # There is no page at the root to lead to, and lists need the width.
    site_url = None
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [path("where-is-this-content/", self._page(where_is_content), name="where_is_content")]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Django's, and the log says who looks or does something, by id."""

        def known(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            bind_contextvars(user_id=request.user.pk)
            return view(request, *arguments, **named)

        return super().admin_view(update_wrapper(known, view), cacheable)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        sees = request.user.has_perm("catalog.view_catalogquery") and request.user.has_perm("refresh.view_refreshrun")
        return super().index(request, {**(extra_context or {}), **({"health": health_context()} if sees else {})})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, {**(extra_context or {}), "lms_sign_in": is_offered()})

    def _page(self, make: _MakePage) -> Callable[..., Any]:
        def view(request: HttpRequest) -> TemplateResponse:
            template, context = make(request)
            return TemplateResponse(request, template, self.each_context(request) | context)

        return self.admin_view(view)
