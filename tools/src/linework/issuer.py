"""The local token issuer: a minimal OpenID provider for one machine.

It grants every role to every caller, so it listens on loopback unless HTTP_HOST is set, as on a private test cluster.
In production OIDC_ISSUER names a real provider; the services need no other change.
"""

import base64
import hashlib
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from jwt.algorithms import ECAlgorithm
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Role
from linework.ports import LOOPBACK

ALGORITHM = "ES256"
TWELVE_HOURS = 12 * 3600
THIRTY_DAYS = 30 * 24 * 3600

Text = Annotated[str, Field(min_length=1, max_length=100)]


class TokenRequest(BaseModel):
    """Who the token is for. `sub` is `<role>-1` unless it is given."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    areas: list[Text] = Field(default_factory=list, max_length=1000, description="Work areas; empty: none is named.")
    sub: Text | None = None
    name: Text | None = None
    ttl_seconds: int = Field(TWELVE_HOURS, ge=1, le=THIRTY_DAYS)


class Token(BaseModel):
    access_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(description="Seconds until it expires.")


class SigningKey:
    """The key pair of this installation, made on first use and readable by its owner only."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            _make_key(file)
        private = serialization.load_pem_private_key(file.read_bytes(), password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey), f"{file} is not a key of ours"
        self._private = private
        public = json.loads(ECAlgorithm.to_jwk(self._private.public_key()))
        thumbprint = json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        digest = hashlib.sha256(thumbprint.encode()).digest()
        self.id = base64.urlsafe_b64encode(digest).decode().rstrip("=")  # RFC 7638
        self.public = {**public, "kid": self.id, "use": "sig", "alg": ALGORITHM}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.id})


def _make_key(file: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(pem)


def claims_of(request: TokenRequest, issuer: str, audience: str, now: datetime) -> dict[str, Any]:
    issued_at = int(now.timestamp())
    subject = request.sub or f"{request.role}-1"
    return {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "name": request.name or subject.replace("-", " ").capitalize(),
        "roles": [request.role],
        # Omitted if there is none: an empty list would mean a person who may see no area.
        **({"areas": request.areas} if request.areas else {}),
        "iat": issued_at,
        "nbf": issued_at,
        "exp": issued_at + request.ttl_seconds,
    }


def make_app(key: SigningKey, issuer: str, audience: str) -> FastAPI:
    app = FastAPI(title="Linework issuer", summary="Tokens for one machine", version="1")

    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, Any]:
        return {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/jwks",
            "token_endpoint": f"{issuer}/token",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        return {"keys": [key.public]}

    @app.post("/token", responses={422: {"description": "Unknown role or field (application/problem+json)"}})
    async def token(request: TokenRequest) -> Token:
        claims = claims_of(request, issuer, audience, datetime.now(UTC))
        return Token(access_token=key.sign(claims), expires_in=request.ttl_seconds)

    @app.get("/livez", include_in_schema=False)
    @app.get("/readyz", include_in_schema=False)
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    app.add_exception_handler(RequestValidationError, _as_problem)
    return app


async def _as_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = "; ".join(f"{'.'.join(map(str, entry['loc'][1:]))}: {entry['msg']}" for entry in error.errors())
    problem = {"title": "The token request is not valid.", "status": 422, "code": "invalid_request", "detail": details}
    return JSONResponse(problem, status_code=422, media_type="application/problem+json")


def main() -> None:
    import uvicorn

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    port = int(os.environ["HTTP_PORT"])
    issuer = os.environ.get("OIDC_ISSUER") or f"http://{LOOPBACK}:{port}"
    key = SigningKey(Path(os.environ["LINEWORK_ISSUER_KEY"]))
    app = make_app(key, issuer, os.environ.get("OIDC_AUDIENCE") or "linework")
    uvicorn.run(app, host=os.environ.get("HTTP_HOST") or LOOPBACK, port=port, access_log=False, log_config=None)


if __name__ == "__main__":
    main()
