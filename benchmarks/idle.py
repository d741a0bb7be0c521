"""Processor time of an installation that does nothing: by process, with how often each waited for something.

    python -m benchmarks.idle --seconds 60
    python -m benchmarks.idle --state-folder .local     a running one, which ought to be left alone meanwhile

It gets no requests and no scrapes, so the rest is what its processes do by themselves.
"""

import argparse
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from tests.running import Running


@dataclass
class Reading:
    """Since their start, of each part: seconds of processor, and how often a thread of it waited."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    waits: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, part: str, process: psutil.Process) -> None:
        times = process.cpu_times()
        self.seconds[part] += times.user + times.system
        for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
            with contextlib.suppress(OSError):  # the thread has ended
                lines = status.read_text().splitlines()
                self.waits[part] += sum(int(one.split()[1]) for one in lines if one.startswith("voluntary_ctxt"))


def _parts(state_folder: Path) -> list[tuple[str, psutil.Process]]:
    """Every process of the installation; a server is one part with the processes that it has started."""
    found = []
    for record in (*(state_folder / "run").glob("*.json"), state_folder / "supervisor.json"):
        # A record stays after a process that was killed.
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(json.loads(record.read_text())["pid"])
            is_server = record.stem in ("postgres", "kafka")
            found += [(record.stem, one) for one in (process, *(process.children() if is_server else ()))]
    return found


def _read(parts: list[tuple[str, psutil.Process]]) -> Reading:
    reading = Reading()
    for part, process in parts:
        # PostgreSQL ends processes of its own accord.
        with contextlib.suppress(psutil.NoSuchProcess):
            reading.add(part, process)
    return reading


def measure(state_folder: Path, seconds: float) -> Mapping[str, float]:
    """Percent of a core, by part and altogether."""
    parts = _parts(state_folder)
    before = _read(parts)
    time.sleep(seconds)
    after = _read(parts)
    percent = {part: (used - before.seconds[part]) / seconds * 100 for part, used in after.seconds.items()}
    for part, share in sorted(percent.items(), key=lambda one: -one[1]):
        waits = (after.waits[part] - before.waits[part]) / seconds
        print(f"{part:20s}{share:7.2f} % of a core{waits:9.1f} waits a second", flush=True)
    print(f"{'altogether':20s}{sum(percent.values()):7.2f} % of a core")
    return {**percent, "altogether": sum(percent.values())}


@contextlib.contextmanager
def _installation() -> Iterator[Path]:
    """One of its own, with neither reference data nor sample traffic."""
    with TemporaryDirectory(prefix="linework-idle-") as name:
        folder = Path(name) / "state"
        Path(name).chmod(0o755)
        with Running.here(folder, DATABASE_URL="", KAFKA_BOOTSTRAP_SERVERS="").up("--empty"):
            yield folder


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--settle-seconds", type=float, default=40, help="time that an installation of its own gets")
    parser.add_argument("--state-folder", type=Path, help="measure a running installation")
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.state_folder
        if folder is None:
            folder = stack.enter_context(_installation())
            time.sleep(options.settle_seconds)
        figures = measure(folder, options.seconds)
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
