"""A Python elsewhere installs the package and publishes or reads events with nothing else of ours."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TOOLING = {file.name for file in (PROJECT / "tooling").rglob("*.py")} - {"__init__.py"}

ROUND_TRIP = """
from datetime import UTC, datetime
from importlib.util import find_spec
from contracts import catalogue, chain, codec, events, lifecycle, message, order
assert not any(find_spec(name) for name in ("chassis", "work_orders", "intake", "aiokafka", "pytest"))
now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
sent = codec.new_message(
    events.WorkOrderNoteAdded(note="门禁密码"), service=lifecycle.Service.FIELDWORK, subject="o-1",
    actor=message.Actor("u-1", "technician"), occurred_at=now, recorded_at=now, order_version=1,
)
assert codec.decode(*codec.encode(sent)) == sent
assert len(chain.verify_chain([sent])) == 64
"""

# Kafka in ten lines: what the README's example needs of aiokafka.
KAFKA = """
import sys, types
RECORDS = []
class Client:
    def __init__(self, *topics, **settings): self.topics = topics
    async def __aenter__(self): return self
    async def __aexit__(self, *error): pass
    async def start(self): pass
    async def stop(self): pass
    async def send_and_wait(self, topic, value, key=None, headers=()):
        RECORDS.append(types.SimpleNamespace(topic=topic, key=key, value=value, headers=tuple(headers)))
    async def __aiter__(self):
        for record in RECORDS:
            yield record
sys.modules["aiokafka"] = types.ModuleType("aiokafka")
sys.modules["aiokafka"].AIOKafkaProducer = sys.modules["aiokafka"].AIOKafkaConsumer = Client
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built wheel and msgspec, as another project's site-packages would have them."""
    folder = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    spec = find_spec("msgspec")
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, folder / "site" / "msgspec")
    return folder / "site"


def run(site: Path, code: str) -> str:
    """Runs code in an interpreter that has the folder and the standard library, nothing else."""
    script = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_alone_encodes_decodes_and_verifies(installed: Path) -> None:
    run(installed, ROUND_TRIP)


def test_the_wheel_says_that_it_is_typed(installed: Path) -> None:
    assert (installed / "contracts" / "py.typed").exists()


def test_the_wheel_needs_msgspec_and_nothing_else(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    needed = re.findall(r"^Requires-Dist: (\S+?)[<>=]", metadata.read_text(encoding="utf-8"), re.MULTILINE)
    assert needed == ["msgspec"]


def test_the_wheel_holds_the_package_and_nothing_else(installed: Path) -> None:
    names = {path.name.split("-")[0] for path in installed.iterdir()}
    assert names == {"contracts", "linework_contracts", "msgspec"}


def development_tools(modules: Iterable[Path]) -> set[str]:
    return {module.name for module in modules} & TOOLING


def test_the_wheel_holds_no_development_tool(installed: Path) -> None:
    assert development_tools(installed.glob("contracts/**/*.py")) == set()
    assert development_tools([Path("contracts/golden.py"), Path("contracts/codec.py")]) == {"golden.py"}


def test_the_example_of_the_readme_publishes_and_reads(installed: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert "north" in run(installed, KAFKA + example)
