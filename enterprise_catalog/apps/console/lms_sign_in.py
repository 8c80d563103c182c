"""
Sign people in to the admin through the LMS: the view that redirects there, and the one they come back to.

Only users who may enter the admin are signed in. Everybody else gets a page that says why, and is not redirected again.
"""

import structlog
from django.contrib import admin
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from enterprise_catalog.apps.access.lms_sign_in import LmsSignIn, LmsUnusable, SignInRefused, is_offered

log = structlog.get_logger(__name__)

_NEXT = "lms_sign_in_next"
_LONGEST = 2000


@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponseBase:
    """Start a sign-in. POST only, so that no other site can start one for its visitors."""
    _require_offered()
    target = request.POST.get("next", "")
    # The next person must not find anything of a session that this browser had before.
    logout(request)
    sign_in = LmsSignIn(request, is_new=True)
    # Anybody may start a sign-in, so its state is kept in a cookie and not in the database.
    sign_in.state[_NEXT] = target if _is_ours(request, target) else ""
    context = {**admin.site.each_context(request), "lms_url": sign_in.start()["Location"]}
    response = render(request, "console/to_lms.html", context)
    sign_in.save_state(response)
    return response


@never_cache
@require_GET
def complete(request: HttpRequest) -> HttpResponseBase:
    """Finish a sign-in: exchange the code from the LMS for a token, which waits for the LMS, and start a session."""
    _require_offered()
    sign_in = LmsSignIn(request)
    try:
        user = sign_in.finish()
    except SignInRefused as refusal:
        response = _refused(request, refusal, lms_logout_url=sign_in.logout_url)
        sign_in.save_state(response)
        return response
    target = sign_in.state.pop(_NEXT, "")
    # The state of the sign-in was in a session of its own; Django's session starts here.
    login(request, user)
    log.info("signed_in_through_lms", user_id=user.pk)
    response = HttpResponseRedirect(target if _is_ours(request, target) else reverse("admin:index"))
    sign_in.save_state(response)
    return response


def _refused(request: HttpRequest, refusal: SignInRefused, *, lms_logout_url: str) -> HttpResponseBase:
    if isinstance(refusal, LmsUnusable):
        log.warning("lms_sign_in_failed", reason=refusal.reason)
        status = 502
    else:
        log.info("lms_sign_in_refused", reason=refusal.reason)
        status = 403
    context = {**admin.site.each_context(request), "refusal": refusal, "lms_logout_url": lms_logout_url}
    return render(request, "console/sign_in_refused.html", context, status=status)


def _is_ours(request: HttpRequest, target: str) -> bool:
    """Return whether the URL is a page of this service, of a plausible length."""
    hosts = {request.get_host()}
    return len(target) < _LONGEST and url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure())


def _require_offered() -> None:
    if not is_offered():
        raise Http404("There is no client for signing in at the LMS.")
