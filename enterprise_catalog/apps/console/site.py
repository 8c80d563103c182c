"""
The admin site: Django's, with a home of its own and the pages that belong to no single model.

A page is a function in `console.pages` that takes the request and returns its template's name and context; everything
around it (sign-in, header, permissions of the index) is Django's.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from enterprise_catalog.apps.access.sign_in import is_offered


class ConsoleSite(admin.AdminSite):
    site_header = site_title = "Enterprise catalog"
    index_title = "What there is"
    # There is no page at the root to lead to, and lists need the width.
    site_url = None
    enable_nav_sidebar = False
    login_template = "console/login.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().login(request, {**(extra_context or {}), "lms_sign_in": is_offered()})
