"""
Sign people in through the LMS: OAuth2 with an authorization code, as edx-auth-backends does it.

The library redirects, checks the state and exchanges the code for a token. It does not find the user: it reads claims
without verifying them, takes staff and superuser from them, and has user tables of its own. Here the token is verified
like any other (AUTH-4). Its `preferred_username` finds the same user as for the API (AUTH-5), whose row says who is
staff. The state of an unfinished sign-in is in a signed cookie, not in the database, since anybody may start one
(SEC-2).
"""

import time
from threading import BoundedSemaphore
from typing import Any

import jwt
import requests
from auth_backends.backends import EdXOAuth2
from django.conf import settings
from django.contrib.sessions.backends import signed_cookies
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from rest_framework.exceptions import AuthenticationFailed
from social_core.exceptions import (
    AuthCanceled,
    AuthInputError,
    AuthProviderError,
    AuthSessionError,
    SocialAuthBaseException,
)
from social_core.utils import http_error
from social_django.strategy import DjangoStrategy

from enterprise_catalog.apps.access.token_users import Deactivated, caller_of_token
from enterprise_catalog.apps.access.tokens import verified_payload
from enterprise_catalog.apps.core.callers import TokenCaller
from enterprise_catalog.apps.core.http_client.deadlines import Deadline, DeadlineAdapter
from enterprise_catalog.apps.core.models import User

COOKIE = "lms_sign_in"


class SignInRefused(Exception):
    """Nobody is signed in. The message is for that person; `reason` is a code for the log, without names or secrets."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class LmsUnusable(SignInRefused):
    """The LMS, or the configuration of the sign-in, is at fault."""


# At most so many of a process's few threads wait for the LMS, so that API requests still find one.
_waiting_threads = BoundedSemaphore(2)


class _NoNonces:
    """
    Store no nonces, which the library keeps in a table. The state is removed from its session when it comes back, so it
    cannot be used twice.
    """

    @staticmethod
    def use(*args: Any) -> bool:
        return True

    consume = use


class _Storage:
    nonce = _NoNonces


class _StateSession(signed_cookies.SessionStore):
    """The state of a sign-in, in a signed cookie. The library uses it as Django's session."""

    def get_session_cookie_age(self) -> int:
        return settings.SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME


class LmsSignIn(EdXOAuth2):
    """One sign-in: a new one, or the one in the cookie of this request."""

    def __init__(self, request: HttpRequest, *, is_new: bool = False) -> None:
        strategy = DjangoStrategy(_Storage, request)
        self.state = strategy.session = _StateSession(None if is_new else request.COOKIES.get(COOKIE))
        super().__init__(strategy, redirect_uri=reverse("lms-signed-in"))

    def save_state(self, response: HttpResponseBase) -> None:
        """Store the state in a cookie of the response, if it changed."""
        if not self.state.modified:
            return
        self.state.save()
        response.set_cookie(
            COOKIE,
            self.state.session_key or "",
            max_age=settings.SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME,
            path=reverse("lms-signed-in"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            # The LMS redirects the browser back here, from another site.
            samesite="Lax",
        )

    def process_error(self, data: Any, *, stage: str = "callback") -> None:
        # Anybody can send an error; only the LMS knows the state.
        if stage == "callback" and data.get("error"):
            self.validate_state()
        super().process_error(data, stage=stage)

    def auth_complete_params(self, state: str | None = None) -> dict[str, str]:
        # By default the LMS signs with a shared secret, and such tokens are refused here (AUTH-4).
        return {**super().auth_complete_params(state), "asymmetric_jwt": "true"}

    def request(
        self, url: str, *, method: str = "GET", timeout: Any = None, stage: Any = "user_info", **sent: Any
    ) -> requests.Response:
        """Send a request with a deadline for the whole answer, and in few threads at once. Raises AuthProviderError."""
        seconds = timeout or settings.SOCIAL_AUTH_EDX_OAUTH2_REQUESTS_TIMEOUT
        if not _waiting_threads.acquire(timeout=1):
            raise self._unanswered("too_many_waiting_threads", stage)
        try:
            with requests.Session() as session:
                for scheme in ("https://", "http://"):
                    session.mount(scheme, DeadlineAdapter(Deadline(until=time.monotonic() + seconds)))
                answer = session.request(method, url, timeout=seconds, allow_redirects=False, **sent)
            answer.raise_for_status()
        except requests.Timeout as error:
            raise self._unanswered("timeout", stage) from error
        except requests.HTTPError as error:
            raise http_error(self, error, stage=stage) from error
        except requests.RequestException as error:
            raise self._unanswered("connection_failed", stage) from error
        finally:
            _waiting_threads.release()
        return answer

    def _unanswered(self, why: str, stage: Any) -> AuthProviderError:
        return AuthProviderError(self, code=why, stage=stage)

    def do_auth(self, access_token: str, *args: Any, **kwargs: Any) -> User:
        return get_staff_user(access_token)

    def finish(self) -> User:
        """Return the user that the LMS signed in, if it is staff here. Raises SignInRefused."""
        try:
            user: User = self.complete()
        except AuthCanceled as error:
            raise SignInRefused("The LMS signed nobody in.", reason="cancelled") from error
        except (AuthInputError, AuthSessionError) as error:
            message = "This sign-in was not begun in this browser, or too long ago."
            raise SignInRefused(message, reason="not_begun_here") from error
        except SocialAuthBaseException as error:
            raise LmsUnusable("The LMS gave no answer to use.", reason=error.code or type(error).__name__) from error
        return user


def is_offered() -> bool:
    """Return whether the sign-in through the LMS is configured."""
    return bool(settings.SOCIAL_AUTH_EDX_OAUTH2_KEY)


def get_staff_user(access_token: str) -> User:
    """Return the user of a token, created on first sight, if it is active and staff. Raises SignInRefused."""
    try:
        claims = verified_payload(access_token)
        user = caller_of_token(claims)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        message = "The LMS sent a token that is not to be trusted here."
        raise LmsUnusable(message, reason=type(error).__name__) from error
    except Deactivated as error:
        message = f"The user {claims['preferred_username']} is deactivated in this service."
        raise SignInRefused(message, reason="inactive") from error
    except AuthenticationFailed as error:
        message = f"The LMS named a user who cannot be one here. {error.detail}"
        raise SignInRefused(message, reason="unusable_name") from error
    if isinstance(user, TokenCaller):
        message = f"The user {user.username} of this service signs in with a password of this service."
        raise SignInRefused(message, reason="has_password")
    if not user.is_staff:
        raise SignInRefused(
            f"The LMS knows you as {user.username}, who is not staff in this service. Who is staff is decided here: "
            f"somebody who may change users has to give {user.username} the staff status and a group.",
            reason="not_staff",
        )
    return user
