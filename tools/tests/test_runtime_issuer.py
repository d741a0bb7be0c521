import subprocess
import sys
from pathlib import Path

import httpx
import jwt
import pytest

from linework.issuer import SigningKey, make_app

ISSUER = "http://127.0.0.1:8000"


@pytest.fixture
def client(tmp_path: Path) -> httpx.AsyncClient:
    app = make_app(SigningKey(tmp_path / "key.pem"), ISSUER, "linework")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER)


async def test_a_token_is_verified_with_the_published_keys(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/token", json={"role": "dispatcher", "areas": ["north"]})).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 43200)
    header = jwt.get_unverified_header(answer["access_token"])
    key = jwt.PyJWKSet.from_dict((await client.get("/jwks")).json())[header["kid"]]
    claims = jwt.decode(answer["access_token"], key, algorithms=["ES256"], audience="linework", issuer=ISSUER)
    assert (claims["sub"], claims["name"]) == ("dispatcher-1", "Dispatcher 1")
    assert (claims["roles"], claims["areas"]) == (["dispatcher"], ["north"])
    assert claims["exp"] - claims["iat"] == 43200
    configuration = (await client.get("/.well-known/openid-configuration")).json()
    assert configuration["jwks_uri"] == f"{ISSUER}/jwks"


@pytest.mark.parametrize("body", [{"role": "king"}, {}, {"role": "agent", "ttl_seconds": 0}, {"role": "agent", "x": 1}])
async def test_a_token_that_cannot_be_given_is_a_problem_document(
    client: httpx.AsyncClient, body: dict[str, object]
) -> None:
    answer = await client.post("/token", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_request"


def test_the_key_stays_the_same_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    assert SigningKey(file).id == SigningKey(file).id
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_command_is_light_to_load() -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'aiokafka', 'asyncpg', 'httpx', 'jgo', 'alembic'}"
    script = f"import sys, linework.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
