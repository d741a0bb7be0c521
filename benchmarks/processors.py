"""What processes use of the machine, from /proc: processor time with that of their descendants, and memory."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CLIENT = "client"
"""The name of this process, which makes the load."""
_PROC = Path("/proc")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)
"""Of the numbers of the machine: idle, and idle that waits for a disk."""
_STATES = 8
"""User, nice, system, idle, iowait, irq, softirq, steal; what guests use is part of user and nice."""


@dataclass(frozen=True, slots=True)
class Process:
    parent: int
    seconds: float
    """Of processor time, with that of the children that have ended."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor seconds since it started, of all processors together."""

    busy: float
    idle: float

    def since(self, before: "Machine") -> "Machine":
        return Machine(self.busy - before.busy, self.idle - before.idle)

    @property
    def all(self) -> float:
        return self.busy + self.idle


def parse_process(text: str) -> Process:
    """`/proc/<pid>/stat`; the name of the program is in brackets and may contain anything."""
    fields = text[text.rindex(")") + 1 :].split()
    return Process(int(fields[1]), sum(map(int, fields[11:15])) / _TICKS_A_SECOND)


def parse_machine(text: str) -> Machine:
    """`/proc/stat`, of which the first line is that of all processors."""
    ticks = [int(field) / _TICKS_A_SECOND for field in text.split("\n", 1)[0].split()[1 : 1 + _STATES]]
    idle = sum(ticks[place] for place in _IDLE)
    return Machine(sum(ticks) - idle, idle)


def seconds_by_root(processes: Mapping[int, Process], roots: Mapping[str, int]) -> dict[str, float]:
    """Of each root with its living descendants, but for those that are roots themselves."""
    names = {pid: name for name, pid in roots.items()}
    found = dict.fromkeys(roots, 0.0)
    for pid, process in processes.items():
        at = pid
        while at not in names and at in processes:
            at = processes[at].parent
        if at in names:
            found[names[at]] += process.seconds
    return found


def processes() -> dict[int, Process]:
    return dict(_read_all())


def _read_all() -> Iterator[tuple[int, Process]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            yield int(folder.name), parse_process((folder / "stat").read_text())
        except OSError:  # it has ended meanwhile
            continue


def machine() -> Machine:
    return parse_machine((_PROC / "stat").read_text())


def resident_megabytes(pid: int) -> float:
    """0 when it has ended."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


class Meter:
    """Between entering and leaving: the seconds, each root's processor seconds, and the machine's."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = {CLIENT: os.getpid(), **roots}
        self.used: dict[str, float] = {}
        self.machine = Machine(0, 0)

    def __enter__(self) -> "Meter":
        self._before = seconds_by_root(processes(), self._roots), machine()
        return self

    def __exit__(self, *_: object) -> None:
        used, whole = self._before
        self.used = {name: now - used[name] for name, now in seconds_by_root(processes(), self._roots).items()}
        self.machine = machine().since(whole)

    def milliseconds_each(self, count: int) -> float:
        """Of processor, of all roots but the client: what one of so many took of what is measured."""
        return 1000 * sum(seconds for name, seconds in self.used.items() if name != CLIENT) / max(1, count)

    @property
    def idle_percent(self) -> float:
        return 100 * self.machine.idle / self.machine.all

    @property
    def others_percent(self) -> float:
        """What processes that are not measured took of the machine: how far the figures can be trusted."""
        return max(0.0, 100 * (self.machine.busy - sum(self.used.values())) / self.machine.all)
