"""The admin site: Django's, with a home of its own and the pages that belong to no single model (`console.pages`)."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from structlog.contextvars import bind_contextvars

from enterprise_catalog.apps.access.sign_in import is_offered
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.pages.health import health_context
from enterprise_catalog.apps.console.pages.where import where_is_content
from enterprise_catalog.apps.console.wording import plural

_MakePage = Callable[[HttpRequest], tuple[str, dict[str, Any]]]


class NamingView(AutocompleteJsonView):
    """What boxes that search offer: a query by what people know it by, since many have no title."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        found = super().serialize_result(obj, to_field_name)
        if isinstance(obj, CatalogQuery):
            catalog = obj.catalogs.order_by("created").first()
            user = f"{catalog.title} ({catalog.enterprise_name})" if catalog else "no catalog"
            found["text"] = f"{obj}: {user}, {plural(obj.count_v1, 'item')}"
        return found


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

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return NamingView.as_view(admin_site=self)(request)

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
