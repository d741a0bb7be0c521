"""The peer, installed from the index into a folder of its own and running on a PostgreSQL of its own.

PostgreSQL is Linework's embedded one with the same settings (`linework.embedded.postgres.SETTINGS`, 128 MB of buffers,
commits that reach the disk). Its packages never meet Linework's: `requirements.txt` here pins them.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import asyncpg

from benchmarks.rounds import say
from benchmarks.wire import Connection
from linework.embedded import EmbeddedPostgres
from linework.ports import LOOPBACK, free_port, is_listening
from linework.processes import die_with_parent

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
WORKERS, THREADS = 2, 4
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    port: int
    token: str
    session: str
    process_ids: Mapping[str, int]
    fill: "Fill"

    def connection(self) -> Connection:
        return Connection(LOOPBACK, self.port, f"authorization: Token {self.token}")

    def browser(self) -> Connection:
        """What its own pages ask with."""
        return Connection(LOOPBACK, self.port, f"cookie: sessionid={self.session}")


@dataclass(frozen=True, slots=True)
class Fill:
    """Adds open tickets until there are so many."""

    python: Path
    environment: Mapping[str, str]

    async def __call__(self, open_tickets: int) -> None:
        await asyncio.to_thread(_run, self.python, self.environment, str(open_tickets))


def install(folder: Path) -> Path:
    """The Python that has the peer; made once, and again when other versions are pinned."""
    python, stamp = folder / "bin/python", folder / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    say(f"Installing the peer into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)]
    subprocess.run(pip, check=True)
    stamp.write_text(wanted)
    return python


@contextlib.asynccontextmanager
async def peer(python: Path) -> AsyncIterator[Peer]:
    """The peer with empty tables; it is stopped on SIGTERM, and on SIGKILL its processes end with it."""
    with TemporaryDirectory(prefix="linework-peer-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = EmbeddedPostgres(folder / "postgres", free_port(), dies_with_parent=True)
        postgres.start()
        stack.callback(postgres.stop)
        environment = await _database(postgres)
        token, session = (await asyncio.to_thread(_run, python, environment, "prepare")).split()
        port = free_port()
        gunicorn = _start(python, port, environment)
        stack.callback(gunicorn.wait)
        stack.callback(gunicorn.terminate)
        await _until_it_listens(gunicorn, port)
        process_ids = {"gunicorn": gunicorn.pid, "postgres": _process_id(folder / "postgres")}
        yield Peer(port, token, session, process_ids, Fill(python, environment))


def _start(python: Path, port: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """With threads, because without them gunicorn closes the connection after each answer."""
    command = [
        *(str(python), "-m", "gunicorn", "helpdesk_site:application", "--chdir", str(HERE)),
        *("--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(THREADS), "--keep-alive", "75"),
        *("--bind", f"{LOOPBACK}:{port}", "--log-level", "warning"),
    ]
    return subprocess.Popen(command, env=environment, preexec_fn=die_with_parent)


async def _database(postgres: EmbeddedPostgres) -> dict[str, str]:
    """Makes the peer's database; the environment that names it."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute("create database peer")
    await admin.close()
    url = urlsplit(postgres.database_url("peer"))
    return {
        **os.environ,
        "PEER_SECRET_KEY": secrets.token_urlsafe(40),
        "PEER_DATABASE_HOST": url.hostname or "",
        "PEER_DATABASE_PORT": str(url.port),
        "PEER_DATABASE_NAME": "peer",
        "PEER_DATABASE_USER": url.username or "",
        "PEER_DATABASE_PASSWORD": url.password or "",
    }


def _run(python: Path, environment: Mapping[str, str], *arguments: str) -> str:
    command = [str(python), "helpdesk_site.py", *arguments]
    done = subprocess.run(command, cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


async def _until_it_listens(gunicorn: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while not is_listening(port):
        if gunicorn.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the peer did not start; gunicorn's lines above say why")
        await asyncio.sleep(0.1)


def _process_id(postgres: Path) -> int:
    return int((postgres / "data/postmaster.pid").read_text().splitlines()[0])
