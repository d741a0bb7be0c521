"""Codes and refresh tokens: each is used once, and using it again ends the whole sign-in.

Whoever presents a used one may have stolen it, or the one before them has. Nobody can tell which, so both lose it
(RFC 6749 §4.1.2, RFC 9700 §4.14.2). A sign-in keeps one refresh token, so memory does not grow with renewals.
"""

import base64
import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from linework.issuer.accounts import Account
from linework.issuer.errors import OAuthError

CODE_SECONDS = 60
SIGN_IN_SECONDS = 12 * 3600
MOST_CODES = 1000
MOST_SIGN_INS = 1000
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asked for; the code is good for this and nothing else."""

    client_id: str
    redirect_uri: str
    scope: str
    challenge: str
    nonce: str | None


@dataclass(slots=True)
class _Code:
    request: AuthorizationRequest
    person: Account
    issued_at: float
    is_used: bool = False
    sid: str | None = None


@dataclass(slots=True)
class SignIn:
    """A person at a client, from the code to the last refresh token."""

    sid: str
    person: Account
    request: AuthorizationRequest
    began_at: float
    secret: str

    @property
    def refresh_token(self) -> str:
        return f"{self.sid}.{self.secret}"


class Grants:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._codes: OrderedDict[str, _Code] = OrderedDict()
        self._sign_ins: OrderedDict[str, SignIn] = OrderedDict()

    def issue_code(self, request: AuthorizationRequest, person: Account) -> str:
        code = secrets.token_urlsafe(32)
        _keep(self._codes, code, _Code(request, person, self._now()), MOST_CODES)
        return code

    def redeem(self, code: str, client_id: str, redirect_uri: str, verifier: str) -> SignIn:
        """The sign-in that the code is good for. Whatever is wrong with the request, the code is used up."""
        found = self._codes.get(code)
        if found is None or found.issued_at + CODE_SECONDS <= self._now():
            raise OAuthError("invalid_grant", "The code is unknown or has expired.")
        if found.is_used:
            self.end(found.sid)
            raise OAuthError("invalid_grant", "The code was used before; the sign-in has ended.")
        found.is_used = True
        request = found.request
        if (client_id, redirect_uri) != (request.client_id, request.redirect_uri):
            raise OAuthError("invalid_grant", "The code was issued to another client or redirect address.")
        if not _fits(verifier, request.challenge):
            raise OAuthError("invalid_grant", "The code verifier does not fit the challenge.")
        sign_in = self._begin(request, found.person)
        found.sid = sign_in.sid
        return sign_in

    def _begin(self, request: AuthorizationRequest, person: Account) -> SignIn:
        sign_in = SignIn(secrets.token_urlsafe(16), person, request, self._now(), secrets.token_urlsafe(32))
        _keep(self._sign_ins, sign_in.sid, sign_in, MOST_SIGN_INS)
        return sign_in

    def refresh(self, token: str, client_id: str) -> SignIn:
        """The sign-in, with the next refresh token."""
        sid, _, secret = token.partition(".")
        sign_in = self._sign_ins.get(sid)
        if sign_in is None or sign_in.began_at + SIGN_IN_SECONDS <= self._now():
            raise OAuthError("invalid_grant", "The refresh token is unknown, has expired or was revoked.")
        if client_id != sign_in.request.client_id:
            raise OAuthError("invalid_grant", "The refresh token was issued to another client.")
        if not secrets.compare_digest(secret.encode(), sign_in.secret.encode()):
            self.end(sid)
            raise OAuthError("invalid_grant", "The refresh token was used before; the sign-in has ended.")
        sign_in.secret = secrets.token_urlsafe(32)
        return sign_in

    def end(self, sid: str | None) -> None:
        self._sign_ins.pop(sid or "", None)


def _keep(kept: OrderedDict[str, T], name: str, value: T, most: int) -> None:
    kept[name] = value
    if len(kept) > most:
        kept.popitem(last=False)


def _fits(verifier: str, challenge: str) -> bool:
    """RFC 7636 §4.6, method S256."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return bool(_VERIFIER.fullmatch(verifier)) and secrets.compare_digest(digest, challenge.encode())
