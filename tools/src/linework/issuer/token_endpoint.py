"""Tokens for programs: for a code, for a refresh token, and at once for whoever asks in JSON (`linework token`)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from linework.issuer.accounts import ACCOUNTS, Account
from linework.issuer.clients import Client
from linework.issuer.errors import OAuthError
from linework.issuer.grants import Grants, SignIn
from linework.issuer.requests import Params, body_of, form_of
from linework.issuer.tokens import SigningKey, TokenRequest, claims_of

ACCESS_SECONDS = 900
"""Of a token that a sign-in renews. `linework token` gives twelve hours."""
_NO_STORE = {"Cache-Control": "no-store"}


class TokenEndpoint:
    def __init__(
        self,
        issuer: str,
        audience: str,
        key: SigningKey,
        clients: Mapping[str, Client],
        grants: Grants,
        now: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._key = key
        self._clients = clients
        self._grants = grants
        self._now = now

    async def token(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            return JSONResponse(self._granted(request, await form_of(request)), headers=_NO_STORE)
        if kind == "application/json":
            return self._for_a_script(request, await body_of(request))
        raise OAuthError("invalid_request", "Send application/x-www-form-urlencoded, or JSON with a role.", 415)

    def _granted(self, request: Request, params: Params) -> dict[str, Any]:
        if "grant_type" not in params:
            raise OAuthError("invalid_request", "grant_type is missing; JSON needs Content-Type: application/json.")
        if "authorization" in request.headers or "client_secret" in params:
            raise OAuthError("invalid_client", "Clients are public here: they send client_id and no secret.", 401)
        if params.get("client_id") not in self._clients:
            raise OAuthError("invalid_client", f"client_id must be one of {', '.join(self._clients)}.", 401)
        match params.get("grant_type"):
            case "authorization_code":
                needed = ("code", "client_id", "redirect_uri", "code_verifier")
                return self._tokens(self._grants.redeem(*_needed(params, needed)), is_first=True)
            case "refresh_token":
                return self._tokens(self._grants.refresh(*_needed(params, ("refresh_token", "client_id"))))
        raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token.")

    def _tokens(self, sign_in: SignIn, *, is_first: bool = False) -> dict[str, Any]:
        person, request = sign_in.person, sign_in.request
        wanted = TokenRequest(
            role=person.role,
            areas=[person.area] if person.area else [],
            sub=person.sub,
            name=person.name,
            ttl_seconds=ACCESS_SECONDS,
        )
        access = claims_of(wanted, self._issuer, self._audience, datetime.fromtimestamp(self._now(), UTC))
        access |= {"client_id": request.client_id, "scope": request.scope, "preferred_username": person.sub}
        identity = {name: access[name] for name in ("iss", "iat", "exp")} | _profile(person, request.scope)
        identity |= {"aud": request.client_id, "auth_time": int(sign_in.began_at), "sid": sign_in.sid}
        # Only the first ID token has the nonce (OpenID Connect Core 1.0 §12.2).
        identity |= {"nonce": request.nonce} if is_first and request.nonce is not None else {}
        return {
            "access_token": self._key.sign(access),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "refresh_token": sign_in.refresh_token,
            "id_token": self._key.sign(identity),
            "scope": request.scope,
        }

    def _for_a_script(self, request: Request, body: bytes) -> Response:
        """A token for any role. No page may ask for one: it would choose the person instead of the person."""
        if "origin" in request.headers:
            return _problem(403, "A page cannot ask for a token of a role; it lets people sign in.")
        try:
            wanted = TokenRequest.model_validate_json(body)
        except ValidationError as error:
            details = (f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors())
            return _problem(422, "; ".join(details))
        claims = claims_of(wanted, self._issuer, self._audience, datetime.fromtimestamp(self._now(), UTC))
        token = {"access_token": self._key.sign(claims), "token_type": "Bearer", "expires_in": wanted.ttl_seconds}
        return JSONResponse(token, headers=_NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise OAuthError("invalid_token", "Send the access token as a bearer token.", 401)
        try:
            claims = self._key.read(token.strip(), self._audience)
        except jwt.PyJWTError:
            raise OAuthError("invalid_token", "The access token is foreign or has expired.", 401) from None
        scope = claims.get("scope", "")
        if "openid" not in scope.split() or claims["sub"] not in ACCOUNTS:
            raise OAuthError("insufficient_scope", "The access token is not of a sign-in.", 403)
        return JSONResponse(_profile(ACCOUNTS[claims["sub"]], scope), headers=_NO_STORE)


def _needed(params: Params, names: tuple[str, ...]) -> list[str]:
    if missing := [name for name in names if name not in params]:
        raise OAuthError("invalid_request", f"{', '.join(missing)} is missing.")
    return [params[name] for name in names]


def _profile(person: Account, scope: str) -> dict[str, Any]:
    """What an ID token and the userinfo address say of a person."""
    if "profile" not in scope.split():
        return {"sub": person.sub}
    profile = {"sub": person.sub, "name": person.name, "preferred_username": person.sub, "roles": [person.role]}
    return profile | ({"areas": [person.area]} if person.area else {})


def _problem(status: int, detail: str) -> Response:
    problem = {"title": "The token request is not valid.", "status": status, "code": "invalid_request"}
    return JSONResponse(problem | {"detail": detail}, status, media_type="application/problem+json")
