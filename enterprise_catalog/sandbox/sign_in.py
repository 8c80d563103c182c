"""
Sign people in as the LMS does: OAuth2 with an authorization code, for the admin of a service.

People choose who they are, so only this machine can reach the page. Everything else is as strict as the LMS: a client
with its secret, a registered redirect URI, and a code that is valid once and for a short time.
"""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jwt

from enterprise_catalog.sandbox.config import SandboxConfig
from enterprise_catalog.sandbox.keys import SigningKey, user_claims
from enterprise_catalog.sandbox.messages import Answer, Request

CODE_SECONDS = 60
# What each scope adds to a token; its holder's name is always there.
SCOPE_CLAIMS = {
    "user_id": ("user_id",),
    "profile": ("name", "given_name", "family_name", "administrator", "superuser"),
    "email": ("email",),
}
SCOPES = frozenset({"read", "write", *SCOPE_CLAIMS})
OPAQUE_TOKEN = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600, "scope": "read"}
# The LMS signs with a secret that it shares with old services, unless `asymmetric_jwt` asks for the other kind.
SHARED_SECRET = "the secret that this LMS shares with old services"  # noqa: S105  opens nothing
ASKED = ("response_type", "client_id", "redirect_uri", "scope", "state")

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox LMS</title><style>
body {{ font: 16px/1.5 sans-serif; max-width: 32em; margin: 4em auto; padding: 0 1em }}
input[type=text], button {{ font: inherit; padding: .3em .6em }}
</style></head><body><h1>Sandbox LMS</h1>{content}</body></html>"""
FORM = """<p>Sign in, and let <b>{client}</b> know who you are. This LMS is for one machine only, and believes you.</p>
<form method="post">{hidden}
<p><label>User name <input type="text" name="username" value="lms-admin" autofocus></label></p>
<p><label><input type="checkbox" name="administrator"> who is staff and superuser of the LMS</label></p>
<p><button>Sign in</button> <button name="cancel" value="1">Cancel</button></p></form>"""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a code stands for."""

    username: str
    administrator: bool
    scopes: tuple[str, ...]
    redirect_uri: str
    expires: float


class SignIn:
    def __init__(self, *, config: SandboxConfig, key: SigningKey) -> None:
        self._config = config
        self._key = key
        self._lock = Lock()
        self._grants: dict[str, Grant] = {}
        self.redirect_uris: tuple[str, ...] = ()

    def reset(self) -> None:
        with self._lock:
            self._grants.clear()

    def page(self, request: Request) -> Answer:
        """The page that asks who somebody is, and what they answer there."""
        sent = request.body if request.method == "POST" and isinstance(request.body, dict) else {}
        asked = {name: str(sent[name] if name in sent else request.param(name) or "") for name in ASKED}
        if asked["client_id"] != self._config.sign_in_client_id:
            return _page("<p>Error: invalid_request. No such client.</p>", status=400)
        # Nobody is sent to where the client did not say beforehand, not even with an error.
        if not any(leads_to(registered, asked["redirect_uri"]) for registered in self.redirect_uris):
            return _page("<p>Error: invalid_request. Mismatching redirect URI.</p>", status=400)
        scopes = asked["scope"].split()
        if asked["response_type"] != "code":
            return _back(asked, error="unsupported_response_type")
        if not scopes or not SCOPES.issuperset(scopes):
            return _back(asked, error="invalid_scope")
        if "cancel" in sent:
            return _back(asked, error="access_denied")
        if not sent.get("username"):
            hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in ASKED)
            return _page(FORM.format(client=escape(asked["client_id"]), hidden=hidden))
        grant = Grant(
            username=str(sent["username"]),
            administrator="administrator" in sent,
            scopes=tuple(scopes),
            redirect_uri=asked["redirect_uri"],
            expires=time.monotonic() + CODE_SECONDS,
        )
        return _back(asked, code=self._keep(grant))

    def signed_out(self, request: Request) -> Answer:
        """There is no session to end: the page asks each time."""
        return _page("<p>You are signed out.</p>")

    def token(self, form: Mapping[str, Any], client: tuple[str, str]) -> Answer:
        """A code into a token. It is gone after the first try of its client, whatever came of that."""
        if not is_client(client, self._config.sign_in_client_id, self._config.sign_in_client_secret):
            return Answer(status=401, payload={"error": "invalid_client"})
        with self._lock:
            grant = self._grants.pop(str(form.get("code", "")), None)
        good = grant and grant.redirect_uri == form.get("redirect_uri") and grant.expires > time.monotonic()
        if not (grant and good):
            return Answer(status=400, payload={"error": "invalid_grant"})
        if str(form.get("token_type", "")).lower() != "jwt":
            return Answer(payload=OPAQUE_TOKEN)
        claims = self._claims(grant)
        token = self._key.sign(claims) if form.get("asymmetric_jwt") else jwt.encode(claims, SHARED_SECRET, "HS256")
        return Answer(
            payload={
                "access_token": token,
                "token_type": "JWT",
                "expires_in": self._config.token_seconds,
                "scope": " ".join(grant.scopes),
            }
        )

    def _keep(self, grant: Grant) -> str:
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._grants = {old: kept for old, kept in self._grants.items() if kept.expires > time.monotonic()}
            self._grants[code] = grant
        return code

    def _claims(self, grant: Grant) -> dict[str, Any]:
        claims = user_claims(
            username=grant.username,
            issuer=self._config.issuer,
            audience=self._config.audience,
            lifetime=self._config.token_seconds,
            administrator=grant.administrator,
        )
        claims |= {"scopes": list(grant.scopes), "grant_type": "authorization-code", "superuser": grant.administrator}
        left_out = {name for scope, names in SCOPE_CLAIMS.items() if scope not in grant.scopes for name in names}
        return {name: value for name, value in claims.items() if name not in left_out}


def is_client(given: tuple[str, str], client_id: str, client_secret: str) -> bool:
    """Whether an id and its secret are these."""
    pairs = zip(given, (client_id, client_secret), strict=True)
    return all(hmac.compare_digest(one.encode(), other.encode()) for one, other in pairs)


def leads_to(registered: str, given: str) -> bool:
    """As the LMS compares: the same place, with at least the registered parameters."""
    there, here = urlsplit(registered), urlsplit(given)
    same = (there.scheme, there.netloc, there.path) == (here.scheme, here.netloc, here.path)
    return same and not here.fragment and set(parse_qsl(there.query)) <= set(parse_qsl(here.query))


def _page(content: str, *, status: int = 200) -> Answer:
    return Answer(status=status, payload=PAGE.format(content=content))


def _back(asked: Mapping[str, str], **result: str) -> Answer:
    """To the client, with what came out and the state that it sent along."""
    state = {"state": asked["state"]} if asked["state"] else {}
    target = urlsplit(asked["redirect_uri"])
    query = urlencode([*parse_qsl(target.query), *(result | state).items()])
    return Answer(status=302, payload="", headers={"Location": urlunsplit(target._replace(query=query))})
