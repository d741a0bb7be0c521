"""The tokens: the key that signs them, and the claims of an access token, an ID token and of `linework token`."""

import base64
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from pydantic import BaseModel, ConfigDict, Field

from contracts.access import Role

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

    def read(self, token: str, audience: str | list[str], *, may_be_expired: bool = False) -> dict[str, Any]:
        """The claims of a token signed here; raises `jwt.PyJWTError`."""
        return jwt.decode(
            token,
            self._private.public_key(),
            algorithms=[ALGORITHM],
            audience=audience,
            options={"require": ["iss", "sub", "exp"], "verify_exp": not may_be_expired},
        )


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
