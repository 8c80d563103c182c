"""
The admin site: Django's, with a home of its own and the pages that belong to no single model.

A page is a function in `console.pages` that takes the request and returns its template's name and context; everything
around it (sign-in, header, permissions of the index) is Django's.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from enterprise_catalog.apps.console.pages.where import where_is_content

_MakePage = Callable[[HttpRequest], tuple[str, dict[str, Any]]]


class ConsoleSite(admin.AdminSite):
    site_header = site_title = "Enterprise catalog"
    index_title = "What there is"
    # There is no page at the root to lead to, and lists need the width.
    site_url = None
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [path("where-is-this-content/", self._page(where_is_content), name="where_is_content")]
        return [*own, *super().get_urls()]

    def _page(self, make: _MakePage) -> Callable[..., Any]:
        def view(request: HttpRequest) -> TemplateResponse:
            template, context = make(request)
            return TemplateResponse(request, template, self.each_context(request) | context)

        return self.admin_view(view)
