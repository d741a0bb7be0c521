"""An installation: its state folder, ports and servers."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linework.ports import LOOPBACK, OFFSETS, SERVICES, read_ports
from linework.stopped import Stopped

REPOSITORY = Path(__file__).resolve().parents[4]
"""The checkout that this file is in; without meaning where the command is installed from wheels."""
IS_CHECKOUT = (REPOSITORY / "tools" / "src" / "linework").is_dir()
AUDIENCE = "linework"

# Stopped in this order, so that nothing loses what it leans on: callers before servers.
STOP_ORDER = (*SERVICES, *(f"{service}_worker" for service in SERVICES), "issuer", "kafka", "postgres")


@dataclass(frozen=True)
class LocalInstallation:
    state_folder: Path
    ports: Mapping[str, int]
    # Set when external servers are used instead of the embedded ones.
    outside_database_url: str | None = None
    outside_kafka: str | None = None
    topic_prefix: str = ""
    without: frozenset[str] = frozenset()
    """Processes that are not started."""

    @property
    def logs(self) -> Path:
        return self.state_folder / "logs"

    @property
    def records(self) -> Path:
        """Records of running processes, one file each."""
        return self.state_folder / "run"

    @property
    def components(self) -> list[str]:
        """The names of everything this installation runs, in the order it is stopped."""
        own = {"kafka": not self.outside_kafka, "postgres": not self.outside_database_url}
        return [name for name in STOP_ORDER if own.get(name, True) and name not in self.without]

    def address(self, part: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[part]}"

    @property
    def bootstrap_servers(self) -> str:
        return self.outside_kafka or f"{LOOPBACK}:{self.ports['kafka']}"

    def used_ports(self) -> dict[str, int]:
        unused = {"postgres"} if self.outside_database_url else set()
        unused |= {"kafka", "kafka_controller"} if self.outside_kafka else set()
        return {part: port for part, port in self.ports.items() if part not in unused}

    def make_folders(self) -> None:
        try:
            for folder in (self.logs, self.records):
                folder.mkdir(parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise Stopped(
                f"The state folder {self.state_folder} cannot be written ({error.strerror}); "
                "choose another --state-folder."
            ) from error

    def remember(self) -> None:
        """Keep the ports with the state, so that `down`, `status` and `token` need only the folder."""
        content = {
            "ports": dict(self.ports),
            "outside_postgres": bool(self.outside_database_url),
            "outside_kafka": self.outside_kafka,
            "topic_prefix": self.topic_prefix,
            "without": sorted(self.without),
        }
        self._file(self.state_folder).write_text(json.dumps(content, indent=2) + "\n")

    @staticmethod
    def _file(state_folder: Path) -> Path:
        return state_folder / "installation.json"


def described_installation(
    state_folder: Path | None, port_base: int | None, without: Sequence[str] = ()
) -> LocalInstallation:
    """The installation that options and environment describe, without some services or all workers."""
    environ = os.environ
    return LocalInstallation(
        state_folder=_state_folder(state_folder),
        ports=read_ports(port_base, environ),
        outside_database_url=environ.get("DATABASE_URL") or None,
        outside_kafka=environ.get("KAFKA_BOOTSTRAP_SERVERS") or None,
        topic_prefix=environ.get("TOPIC_PREFIX", ""),
        without=_left_out(without),
    )


def _left_out(names: Sequence[str]) -> frozenset[str]:
    workers = {f"{service}_worker" for service in SERVICES}
    unknown = [name for name in names if name not in (*SERVICES, "workers")]
    if unknown:
        raise Stopped(f"There is no service {unknown[0]}; there are {', '.join(SERVICES)}, and `workers`.")
    found = {name for service in names if service in SERVICES for name in (service, f"{service}_worker")}
    return frozenset(found | (workers if "workers" in names else set()))


def existing_installation(state_folder: Path | None, port_base: int | None) -> LocalInstallation:
    """The installation of a state folder as it was last started; as described where it never was."""
    folder = _state_folder(state_folder)
    try:
        return _remembered(folder, json.loads(LocalInstallation._file(folder).read_text()))
    except FileNotFoundError:
        return described_installation(state_folder, port_base)
    except (OSError, ValueError, RecursionError) as error:
        raise Stopped(f"{LocalInstallation._file(folder)} cannot be read ({error}); remove it.") from error


def _remembered(folder: Path, content: Any) -> LocalInstallation:
    """Raises `ValueError` for what `remember` has not written."""
    match content:
        case {
            "ports": dict(ports),
            "outside_postgres": bool(has_outside_postgres),
            "outside_kafka": str() | None as outside_kafka,
            "topic_prefix": str(topic_prefix),
        }:
            pass
        case _:
            raise ValueError("it does not describe an installation")
    if any(type(ports.get(part)) is not int or not 1 <= ports[part] <= 65535 for part in OFFSETS):
        raise ValueError("it does not name the port of each part")
    without = content.get("without", [])
    if not isinstance(without, list) or not all(isinstance(name, str) for name in without):
        raise ValueError("`without` is not a list of names")
    return LocalInstallation(
        state_folder=folder,
        ports=ports,
        # Its address is a secret that is not kept; that there is one is all that is asked for.
        outside_database_url="outside" if has_outside_postgres else None,
        outside_kafka=outside_kafka,
        topic_prefix=topic_prefix,
        without=frozenset(without),
    )


def _state_folder(chosen: Path | None) -> Path:
    return (chosen or Path(os.environ.get("LINEWORK_STATE_FOLDER") or default_state_folder())).absolute()


def default_state_folder() -> Path:
    """`.local` of the checkout; where the command is installed without one, the user's folder for state."""
    import platformdirs

    return REPOSITORY / ".local" if IS_CHECKOUT else platformdirs.user_state_path("linework")
