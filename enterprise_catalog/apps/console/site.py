"""Serve Django's admin site with our own home page and the pages of `console.pages`."""

from functools import update_wrapper
from typing import Any

import structlog
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from structlog.contextvars import bind_contextvars

from enterprise_catalog.apps.access import password_sign_in
from enterprise_catalog.apps.access.lms_sign_in import is_offered
from enterprise_catalog.apps.catalog.models import CatalogQuery
from enterprise_catalog.apps.console.display.sentences import plural
from enterprise_catalog.apps.console.pages.catalog_health import health_context
from enterprise_catalog.apps.console.pages.content_location import where_is_content
from enterprise_catalog.apps.core.observability.metrics import count_sign_in

log = structlog.get_logger(__name__)

# Sent while other passwords are compared (`password_sign_in.one_at_a_time`).
_BUSY_SECONDS = 5
_BUSY = "Many people sign in at this moment. Try again in a few seconds."


class QueryLabelView(AutocompleteJsonView):
    """Label queries in search boxes with a catalog that uses them, since many queries have no title."""

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
    # The root has no page for people, and lists need the width of the sidebar.
    site_url = None
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [path("where-is-this-content/", self.admin_view(where_is_content), name="where_is_content")]
        return [*own, *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Bind the user's id to the log lines of every admin request."""

        def view_with_user_id(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            bind_contextvars(user_id=request.user.pk)
            return view(request, *arguments, **named)

        return super().admin_view(update_wrapper(view_with_user_id, view), cacheable)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return QueryLabelView.as_view(admin_site=self)(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        may_see = request.user.has_perms(["catalog.view_catalogquery", "refresh.view_refreshrun"])
        return super().index(request, {**(extra_context or {}), **({"health": health_context()} if may_see else {})})

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "lms_sign_in": is_offered()}
        if request.method != "POST":
            return super().login(request, context)
        with password_sign_in.one_at_a_time() as is_our_turn:
            if not is_our_turn:
                return self._come_back(request, status=503, seconds=_BUSY_SECONDS, reason=_BUSY)
            response = super().login(request, context)
        if password_sign_in.is_locked_out(request):
            return self._locked(request)
        if isinstance(response, HttpResponseRedirect):
            user = request.user
            password_sign_in.remember_browser(
                request, response, username=user.get_username(), path=reverse("admin:index", current_app=self.name)
            )
            count_sign_in(outcome="signed_in")
            log.info("signed_in_with_password", user_id=user.pk)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Change the password. Guesses of the old one are counted and locked as at sign-in."""
        if request.method != "POST":
            return super().password_change(request, extra_context)
        username = request.user.get_username()
        with password_sign_in.one_at_a_time() as is_our_turn:
            if not is_our_turn:
                return self._come_back(request, status=503, seconds=_BUSY_SECONDS, reason=_BUSY)
            if not password_sign_in.may_try(request, username=username):
                return self._locked(request)
            response = super().password_change(request, extra_context)
            if isinstance(response, TemplateResponse):
                form = (response.context_data or {}).get("form")
                if form and form.has_error("old_password", "password_incorrect"):
                    password_sign_in.count_failure(request, username=username)
        return self._locked(request) if password_sign_in.is_locked_out(request) else response

    def _locked(self, request: HttpRequest) -> HttpResponse:
        minutes = plural(settings.SIGN_IN_LOCK_MINUTES, "minute")
        reason = (
            f"Too many wrong passwords were given for this name or from this address. For {minutes}, no password is "
            "accepted, not even the right one."
        )
        return self._come_back(request, status=429, seconds=settings.SIGN_IN_LOCK_MINUTES * 60, reason=reason)

    def _come_back(self, request: HttpRequest, *, status: int, seconds: int, reason: str) -> HttpResponse:
        # Everybody gets the same page, signed in or not.
        context = {**self.each_context(request), "title": "Not now", "reason": reason, "has_permission": False}
        headers = {"Retry-After": str(seconds)}
        return TemplateResponse(request, "console/locked.html", context, status=status, headers=headers)
