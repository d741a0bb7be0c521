"""The addresses of the issuer: signing in and out for people, tokens for programs."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from linework.issuer import pages
from linework.issuer.accounts import ACCOUNTS
from linework.issuer.clients import Client, console_redirects, registered
from linework.issuer.discovery import CONFIGURATION, ReadFromLoopback, describe
from linework.issuer.errors import NotSentBack, OAuthError
from linework.issuer.grants import Grants
from linework.issuer.requests import (
    LONGEST_VALUE,
    Params,
    authorization_request,
    client_of,
    form_of,
    is_in_english,
    query_of,
)
from linework.issuer.token_endpoint import TokenEndpoint
from linework.issuer.tokens import SigningKey
from linework.ports import DEFAULT_BASE

_LOCAL_HOSTS = ["127.0.0.1", "localhost"]


class BrowserEndpoints:
    """What a browser opens: from a client to the page of people and back, and out again."""

    def __init__(self, issuer: str, key: SigningKey, clients: Mapping[str, Client], grants: Grants) -> None:
        self._issuer = issuer
        self._key = key
        self._clients = clients
        self._grants = grants

    async def authorize(self, request: Request) -> Response:
        """The page of people, for a request that will succeed."""
        return self._answer(await _params(request), self._choice)

    async def sign_in(self, request: Request) -> Response:
        """A person was chosen on the page; the client gets the code."""
        # "null": our pages send no referrer, and so browsers send no origin either.
        own = ("null", f"http://{request.headers.get('host')}")
        is_foreign = request.headers.get("origin", "null") not in own
        if is_foreign or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            refused = ("Only the page of this issuer chooses a person.", "只能在本页面选择登录身份。")
            return pages.stopped(refused, in_english=False, status=403)
        return self._answer(await _params(request), self._code)

    def _answer(self, params: Params, answer: Callable[[Params, Client, str], Response]) -> Response:
        client, redirect_uri = client_of(params, self._clients)
        try:
            return answer(params, client, redirect_uri)
        except OAuthError as refused:
            error = {"error": refused.code, "error_description": refused.description}
            return self._back(params, redirect_uri, error)

    def _choice(self, params: Params, client: Client, redirect_uri: str) -> Response:
        authorization_request(params, client, redirect_uri)
        return pages.choice(params, client.id, redirect_uri, is_in_english(params))

    def _code(self, params: Params, client: Client, redirect_uri: str) -> Response:
        wanted = authorization_request(params, client, redirect_uri)
        person = ACCOUNTS.get(params.get("person", ""))
        if person is None:
            raise OAuthError("access_denied", "Nobody of the page was chosen.")
        return self._back(params, redirect_uri, {"code": self._grants.issue_code(wanted, person)})

    def _back(self, params: Params, redirect_uri: str, answer: Mapping[str, str]) -> Response:
        state = {"state": params["state"]} if "state" in params else {}
        # `iss` (RFC 9207): a client of several issuers sees which of them answered.
        query = urlencode({**answer, **state, "iss": self._issuer})
        return RedirectResponse(f"{redirect_uri}?{query}", 303, {"Cache-Control": "no-store"})

    async def end_session(self, request: Request) -> Response:
        """Ends the sign-in that the ID token names; the person goes back where the client has registered."""
        params = await _params(request)
        hint = self._hint(params)
        client_id = hint.get("aud") or params.get("client_id", "")
        client = self._clients.get(client_id) if params.get("client_id", client_id) == client_id else None
        self._grants.end(hint.get("sid"))
        address = params.get("post_logout_redirect_uri")
        if address is None:
            return pages.signed_out(is_in_english(params))
        if client is None or address not in client.sign_outs:
            raise NotSentBack("The address after signing out is not registered.", "退出后的回调地址未注册。")
        state = f"?{urlencode({'state': params['state']})}" if "state" in params else ""
        return RedirectResponse(address + state, 303, {"Cache-Control": "no-store"})

    def _hint(self, params: Params) -> dict[str, str]:
        if "id_token_hint" not in params:
            return {}
        try:
            # Whoever signs out late has an ID token that has expired (RP-Initiated Logout 1.0 §2).
            return self._key.read(params["id_token_hint"], list(self._clients), may_be_expired=True)
        except jwt.PyJWTError:
            raise NotSentBack("The ID token is not one of this issuer.", "ID 令牌不是由本签发方签发的。") from None


async def _params(request: Request) -> Params:
    try:
        return await form_of(request) if request.method == "POST" else query_of(request)
    except OAuthError as refused:
        zh = f"参数须为 UTF-8 表单编码，每个至多出现一次，至多 {LONGEST_VALUE} 个字符。"
        raise NotSentBack(refused.description, zh) from refused


def make_app(
    key: SigningKey,
    issuer: str,
    audience: str,
    clients: Mapping[str, Client] | None = None,
    now: Callable[[], float] = time.time,
    *,
    is_on_loopback: bool = True,
) -> Starlette:
    clients = registered(console_redirects(DEFAULT_BASE)) if clients is None else clients
    grants = Grants(now)
    signing_in = BrowserEndpoints(issuer, key, clients, grants)
    tokens = TokenEndpoint(issuer, audience, key, clients, grants, now)
    routes = [
        Route(CONFIGURATION, _always(describe(issuer))),
        Route("/jwks", _always({"keys": [key.public]})),
        Route("/authorize", signing_in.authorize, methods=["GET", "POST"]),
        Route("/sign-in", signing_in.sign_in, methods=["POST"]),
        Route("/end-session", signing_in.end_session, methods=["GET", "POST"]),
        Route("/token", tokens.token, methods=["POST"]),
        Route("/userinfo", tokens.userinfo, methods=["GET", "POST"]),
        *(Route(path, _always({"status": "ok"})) for path in ("/livez", "/readyz")),
    ]
    middleware = [Middleware(ReadFromLoopback)]
    if is_on_loopback:
        # A page elsewhere whose name is made to point here would be of the same origin as this issuer.
        middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=_LOCAL_HOSTS, www_redirect=False))
    return Starlette(
        routes=routes, middleware=middleware, exception_handlers={NotSentBack: _as_page, OAuthError: _as_json}
    )


def _always(content: Mapping[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return JSONResponse(content)

    return answer


async def _as_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotSentBack)
    language = {"ui_locales": request.query_params.get("ui_locales", "")}
    return pages.stopped((error.en, error.zh), is_in_english(language))


async def _as_json(_: Request, error: Exception) -> Response:
    assert isinstance(error, OAuthError)
    headers = {"Cache-Control": "no-store"}
    if error.status in (401, 403):
        headers["WWW-Authenticate"] = f'Bearer error="{error.code}"'
    return JSONResponse({"error": error.code, "error_description": error.description}, error.status, headers)
