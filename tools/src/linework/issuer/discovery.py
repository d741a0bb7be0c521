"""What the issuer says of itself (OpenID Connect Discovery 1.0 §3), and who may read it from a page."""

from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from linework.issuer.requests import SCOPES
from linework.issuer.tokens import ALGORITHM

CONFIGURATION = "/.well-known/openid-configuration"
_LOOPBACK_ORIGIN = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?"


def describe(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/end-session",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            *("iss", "aud", "sub", "iat", "exp", "auth_time", "nonce", "sid"),
            *("name", "preferred_username", "roles", "areas"),
        ],
        "ui_locales_supported": ["zh-CN", "en"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,  # the default is true
        "authorization_response_iss_parameter_supported": True,
    }


class ReadFromLoopback(CORSMiddleware):
    """Pages of this machine may read what a client library reads, and not the page on which a person is chosen."""

    _PATHS = frozenset({CONFIGURATION, "/jwks", "/token", "/userinfo"})

    def __init__(self, app: ASGIApp) -> None:
        headers = ("authorization", "content-type")
        super().__init__(app, allow_origin_regex=_LOOPBACK_ORIGIN, allow_methods=("GET", "POST"), allow_headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._PATHS:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
