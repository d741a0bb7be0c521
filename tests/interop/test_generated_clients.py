"""A stranger's client, generated from the committed OpenAPI documents, compiles and acts on a running service.

`make interop` installs the generators; without them these tests are skipped. Nothing here reaches another machine.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.served import served

from chassis.testing import TestIssuer, settings_for
from contracts.lifecycle import Service
from intake.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "docs/openapi"
CLIENTS = Path(__file__).parent / "clients"
TYPESCRIPT = CLIENTS / "typescript"
PYTHON = CLIENTS / "python"
NODE = shutil.which("node")
INSTALLED = ROOT / ".local/clients"
"""By `make interop`."""
HAS_TYPESCRIPT = NODE is not None and (INSTALLED / "typescript/node_modules/.bin/openapi-typescript").exists()
HAS_PYTHON = (INSTALLED / "python/bin/openapi-python-client").exists()
pytestmark = pytest.mark.timeout(600)


def _run(*command: str | Path, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def intake(new_database: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """The address of a running intake, and the token of an agent."""
    issuer = TestIssuer()
    with served(app(settings_for(new_database("intake"))), issuer) as address:
        yield address, issuer.token("agent")


@pytest.mark.skipif(not HAS_TYPESCRIPT, reason="there is no node with openapi-typescript: `make interop` installs it")
def test_a_generated_typescript_client_compiles_and_acts(intake: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(INSTALLED / "typescript/node_modules")
    for name in ("package.json", "tsconfig.json", "act.ts"):
        shutil.copy(TYPESCRIPT / name, tmp_path)
    commands = tmp_path / "node_modules/.bin"
    for service in Service:
        document = DOCUMENTS / f"{service.value}.json"
        options = ("--default-non-nullable=false", "-o", f"{service.value}.ts")
        _run(commands / "openapi-typescript", document, *options, folder=tmp_path)
    _run(commands / "tsc", folder=tmp_path)
    told = _run(NODE or "node", "built/act.js", *intake, folder=tmp_path)
    assert json.loads(told) == {"version": 2, "address": "漕溪路 252 号", "code": "subscriber_changed"}


@pytest.mark.skipif(not HAS_PYTHON, reason="there is no openapi-python-client: `make interop` installs it")
def test_a_generated_python_client_compiles_and_acts(intake: tuple[str, str], tmp_path: Path) -> None:
    python = INSTALLED / "python/bin/python"
    for service in Service:
        package = f"linework_{service.value}_client"
        told = _run(
            *(python.with_name("openapi-python-client"), "generate", "--meta", "none", "--fail-on-warning"),
            *("--path", DOCUMENTS / f"{service.value}.json", "--output-path", package),
            *("--config", PYTHON / "config.yml"),
            folder=tmp_path,
        )
        assert "warning" not in told.lower()
        every_module = f"import pkgutil, {package} as it; [*map(__import__, names)]"
        names = "names = [m.name for m in pkgutil.walk_packages(it.__path__, it.__name__ + '.')]"
        _run(python, "-c", every_module.replace(";", f"; {names};"), folder=tmp_path)
    told = _run(python, PYTHON / "act.py", *intake, folder=tmp_path, PYTHONPATH=str(tmp_path))
    assert json.loads(told) == {"version": 2, "address": "漕溪路 252 号", "code": "subscriber_changed"}
