"""The parameters of a client: each at most once, of a limited length, and for a sign-in those that it needs."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from linework.issuer.clients import Client
from linework.issuer.errors import NotSentBack, OAuthError
from linework.issuer.grants import AuthorizationRequest

SCOPES = ("openid", "profile", "offline_access")
LONGEST_BODY = 1 << 20
_LONGEST_FORM = 32_768
LONGEST_VALUE = 2048
_MOST_VALUES = 50
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")

Params = Mapping[str, str]


async def body_of(request: Request, limit: int = LONGEST_BODY) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise OAuthError("invalid_request", f"The body has more than {limit} bytes.", 413)
    return bytes(body)


async def form_of(request: Request) -> Params:
    return params_of(_pairs(await body_of(request, _LONGEST_FORM)))


def query_of(request: Request) -> Params:
    return params_of(_pairs(request.url.query.encode()))


def _pairs(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode(), keep_blank_values=True, max_num_fields=_MOST_VALUES, errors="strict")
    except ValueError as error:
        raise OAuthError("invalid_request", "The parameters are not form-encoded UTF-8, or too many.") from error


def params_of(pairs: Iterable[tuple[str, str]]) -> Params:
    """RFC 6749 §3.1: a parameter occurs once, and one without a value was not sent."""
    params: dict[str, str] = {}
    for name, value in pairs:
        if name in params:
            raise OAuthError("invalid_request", "A parameter occurs twice.")
        if len(value) > LONGEST_VALUE or "\0" in value:
            raise OAuthError("invalid_request", f"A parameter has more than {LONGEST_VALUE} characters, or a null.")
        params[name] = value
    return {name: value for name, value in params.items() if value}


def client_of(params: Params, clients: Mapping[str, Client]) -> tuple[Client, str]:
    """Who asks and the address to answer to. Until both are known nothing may be sent anywhere."""
    client = clients.get(params.get("client_id", ""))
    if client is None:
        raise NotSentBack(
            f"The client is not registered. Registered are {', '.join(clients)}.",
            f"客户端未注册。已注册的客户端：{'、'.join(clients)}。",
        )
    redirect_uri = params.get("redirect_uri", "")
    if not client.may_redirect_to(redirect_uri):
        raise NotSentBack(
            f"The redirect address is not one of {client.id}'s: {', '.join(sorted(client.redirects))}.",
            f"回调地址不属于 {client.id}。已注册的回调地址：{'、'.join(sorted(client.redirects))}。",
        )
    return client, redirect_uri


def authorization_request(params: Params, client: Client, redirect_uri: str) -> AuthorizationRequest:
    """What the client asks for; a `OAuthError` is sent back to it."""
    _refuse_what_is_not_supported(params)
    scope = [name for name in SCOPES if name in params.get("scope", "").split()]
    if "openid" not in scope:
        raise OAuthError("invalid_scope", "The scope openid is missing.")
    if params.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "PKCE with code_challenge_method=S256 is required.")
    challenge = params.get("code_challenge", "")
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge is not a SHA-256 in base64url (43 characters).")
    return AuthorizationRequest(client.id, redirect_uri, " ".join(scope), challenge, params.get("nonce"))


def _refuse_what_is_not_supported(params: Params) -> None:
    for name in ("request", "request_uri"):
        if name in params:
            raise OAuthError(f"{name}_not_supported", f"The parameter {name} is not supported.")
    if "response_type" not in params:
        raise OAuthError("invalid_request", "response_type is missing.")
    if params["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if params.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode must be query.")
    if "none" in params.get("prompt", "").split():
        raise OAuthError("login_required", "Nobody is remembered here: a person has to choose each time.")


def is_in_english(params: Params) -> bool:
    """Chinese, unless the first language that we have in `ui_locales` is English."""
    asked = (name.lower().partition("-")[0] for name in params.get("ui_locales", "").split())
    return next((name for name in asked if name in ("zh", "en")), "zh") == "en"
