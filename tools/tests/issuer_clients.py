"""What signs in to the local issuer in tests: Authlib's client, and a person who chooses on the page."""

import base64
import hashlib
import re
import secrets
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client

from linework.issuer import make_app
from linework.issuer.tokens import SigningKey

ISSUER = "http://127.0.0.1:8000"
CALLBACK = "http://127.0.0.1:8009/callback"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "client_id": "linework-console",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "s-1",
    "nonce": "n-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Clock:
    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class LocalIssuer:
    """The issuer, as a browser and as client programs see it."""

    def __init__(self, key: SigningKey, clock: Clock) -> None:
        self.clock = clock
        self.transport = httpx.ASGITransport(make_app(key, ISSUER, "linework", now=clock))
        self.http = httpx.AsyncClient(transport=self.transport, base_url=ISSUER)

    def authlib(self, **more: Any) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            "linework-console",
            scope="openid profile",
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
            transport=self.transport,
            **more,
        )

    async def choose(self, address: str, person: str) -> httpx.Response:
        """Opens the page and clicks a person: posts what the form holds."""
        page = await self.http.get(address)
        assert page.status_code == 200, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
        form = {name: unescape(value) for name, value in hidden}
        assert f'value="{person}"' in page.text
        return await self.http.post("/sign-in", data={**form, "person": person})

    async def authorize(self, **changes: str | None) -> httpx.Response:
        """The answer to an authorization request; a change to None leaves a parameter out."""
        params = {name: value for name, value in (ASKED | changes).items() if value is not None}
        return await self.http.get("/authorize", params=params)

    async def code(self, person: str = "north-1", **changes: str) -> str:
        answer = await self.http.post("/sign-in", data={**ASKED, **changes, "person": person})
        return answered(answer)["code"]

    async def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "client_id": "linework-console", "redirect_uri": CALLBACK}
        return await self.http.post("/token", data=form | {"code": code, "code_verifier": VERIFIER} | changes)

    async def refresh(self, token: str, client_id: str = "linework-console") -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
        return await self.http.post("/token", data=form)


def answered(response: httpx.Response) -> dict[str, str]:
    """What a redirect tells the client."""
    assert response.status_code == 303, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))
