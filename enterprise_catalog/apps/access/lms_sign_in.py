"""
Signing in through the LMS, for people: OAuth2 by authorization code, as edx-auth-backends does it.

The library makes the browser's way there and back (state, code, token). What it would make of the token is left out:
it reads claims without verifying them, takes staff and superuser from them, and finds users by rows of its own. Here
the token is verified like any other (AUTH-4), its `preferred_username` names the same row as for a caller of the API
(AUTH-5), and who is staff is that row's word. Nothing is stored but the session of who came in: what is to be known
until then, anybody's browser keeps itself, signed (SEC-2).
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

from enterprise_catalog.apps.access.accounts import Deactivated, caller_of_token
from enterprise_catalog.apps.access.tokens import verified_payload
from enterprise_catalog.apps.core.callers import TokenCaller
from enterprise_catalog.apps.core.http_client.deadlines import Deadline, DeadlineAdapter
from enterprise_catalog.apps.core.models import User

COOKIE = "lms_sign_in"


class SignInRefused(Exception):
    """Nobody is signed in: why, for that person; `reason` is a word for the log, no secret and no name."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class LmsUnusable(SignInRefused):
    """The LMS, or what is set up there and here for signing in, is at fault."""


# Of a process's few threads, so many wait for the LMS at most: others want to read with them.
_at_once = BoundedSemaphore(2)


class _InSession:
    """
    What the library keeps in tables: here nothing. A state that comes back is taken out of the session it was put into,
    and so is of use once without a list of those that were used.
    """

    @staticmethod
    def use(*args: Any) -> bool:
        return True

    consume = use


class _Storage:
    nonce = _InSession


class _Begun(signed_cookies.SessionStore):
    """What is known of a sign-in that was begun, in a cookie. The library takes it for Django's session."""

    def get_session_cookie_age(self) -> int:
        return settings.SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME


class LmsSignIn(EdXOAuth2):
    """One sign-in, of the person whose browser sends this request: a new one, or that which its cookie tells of."""

    def __init__(self, request: HttpRequest, *, is_new: bool = False) -> None:
        strategy = DjangoStrategy(_Storage, request)
        self.begun = strategy.session = _Begun(None if is_new else request.COOKIES.get(COOKIE))
        super().__init__(strategy, redirect_uri=reverse("lms-signed-in"))

    def keep(self, response: HttpResponseBase) -> None:
        """Have the browser keep what came of this request."""
        if not self.begun.modified:
            return
        self.begun.save()
        response.set_cookie(
            COOKIE,
            self.begun.session_key or "",
            max_age=settings.SOCIAL_AUTH_EDX_OAUTH2_STATE_LIFETIME,
            path=reverse("lms-signed-in"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            # The LMS leads the browser back here, from its own pages.
            samesite="Lax",
        )

    def process_error(self, data: Any, *, stage: str = "callback") -> None:
        # Anybody can bring an error along; only the LMS's comes with the state.
        if stage == "callback" and data.get("error"):
            self.validate_state()
        super().process_error(data, stage=stage)

    def auth_complete_params(self, state: str | None = None) -> dict[str, str]:
        # Unasked, the LMS signs with a secret that it shares with old services, which nobody here accepts (AUTH-4).
        return {**super().auth_complete_params(state), "asymmetric_jwt": "true"}

    def request(
        self, url: str, *, method: str = "GET", timeout: Any = None, stage: Any = "user_info", **sent: Any
    ) -> requests.Response:
        """As the library's. But all of the answer is there in time, however it drips, and few threads wait for one."""
        seconds = timeout or settings.SOCIAL_AUTH_EDX_OAUTH2_REQUESTS_TIMEOUT
        if not _at_once.acquire(timeout=1):
            raise self._unanswered("too_many_at_once", stage)
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
            _at_once.release()
        return answer

    def _unanswered(self, why: str, stage: Any) -> AuthProviderError:
        return AuthProviderError(self, code=why, stage=stage)

    def do_auth(self, access_token: str, *args: Any, **kwargs: Any) -> User:
        return member_of_staff(access_token)

    def person(self) -> User:
        """Who the LMS says this is, if they may come in. Raises SignInRefused."""
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
    """Whether people can sign in through the LMS here."""
    return bool(settings.SOCIAL_AUTH_EDX_OAUTH2_KEY)


def member_of_staff(access_token: str) -> User:
    """The local user that a token names, made on first sight, if it is active and staff. Raises SignInRefused."""
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
