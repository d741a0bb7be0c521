"""`linework status` and `linework down`."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from linework.ports import is_listening
from linework.processes import find_recorded, stop_leftovers, stop_process
from linework.runtime.installation import STOP_ORDER, Installation
from linework.runtime.program import answers_ready
from linework.runtime.supervisor import read_phase, set_phase, supervisor_record

DOWN_SECONDS = 120


@dataclass(frozen=True)
class Status:
    phase: str
    # Whether each component is ready, by its name.
    components: dict[str, bool]
    addresses: dict[str, str]

    @property
    def is_ready(self) -> bool:
        return self.phase == "ready" and all(self.components.values())


def read_status(installation: Installation) -> Status:
    """How it stands at this moment: what each component answers, and how far the supervisor is."""
    names = installation.components
    with ThreadPoolExecutor(len(names)) as pool:
        answers = pool.map(lambda name: _is_ready(installation, name), names)
        components = dict(zip(names, answers, strict=True))
    addresses = {name: installation.address(name) for name in names if name not in ("kafka", "postgres")}
    return Status(read_phase(installation) or "stopped", components, addresses)


def wait_status(installation: Installation, seconds: float) -> Status:
    """The status once everything is ready, or as it stands when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        status = read_status(installation)
        if status.is_ready or time.monotonic() >= deadline:
            return status
        time.sleep(0.2)


def _is_ready(installation: Installation, name: str) -> bool:
    port = installation.ports[name]
    return is_listening(port) if name in ("kafka", "postgres") else answers_ready(port)


def stop_installation(installation: Installation) -> list[str]:
    """Stop the supervisor, which stops the rest, and whatever one that was killed has left; tells what was stopped."""
    stopped = []
    found = find_recorded(supervisor_record(installation))
    if found:
        stop_process(*found, DOWN_SECONDS)
        stopped.append("supervisor")
    stopped += stop_leftovers(installation.records, STOP_ORDER)
    supervisor_record(installation).unlink(missing_ok=True)
    if installation.state_folder.exists():
        set_phase(installation, None)
    return stopped
