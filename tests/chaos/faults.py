"""Which faults there are, and which of them happen when: everything is drawn from the seed before the run begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class FaultKind(StrEnum):
    KILL = "killed"
    STOP = "stopped"
    KILL_POSTGRES = "PostgreSQL killed"
    STOP_POSTGRES = "PostgreSQL stopped"
    KILL_BROKER = "broker killed"
    STOP_BROKER = "broker stopped"
    CUT = "cut off, silent"
    REFUSE = "cut off, refused"
    LOSE = "connections lost without a word"
    SLOW = "slowed"
    CLOCK = "clock moved"
    DISK_FULL = "disk full"
    LOCK = "table locked"


@dataclass(frozen=True, slots=True)
class Fault:
    at: float
    """Seconds after the beginning."""
    seconds: float
    """How long it lasts; what was killed is started again after it."""
    kind: FaultKind
    target: str
    amount: float = 0.0
    """By how much: seconds of a clock, seconds of delay of a link."""

    @property
    def ends_at(self) -> float:
        return self.at + self.seconds

    def __str__(self) -> str:
        amount = f" by {self.amount:+.3g} s" if self.amount else ""
        return f"{self.target} {self.kind}{amount} for {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Targets:
    """What there is to hit."""

    processes: Sequence[str]
    brokers: Sequence[str]
    links: Sequence[str]
    disks: Sequence[str]
    databases: Sequence[str]
    """PostgreSQL servers."""
    tables: Sequence[str]
    """Services whose table is locked."""

    def of(self, kind: FaultKind) -> Sequence[str]:
        match kind:
            case FaultKind.KILL | FaultKind.STOP | FaultKind.CLOCK:
                return self.processes
            case FaultKind.KILL_POSTGRES | FaultKind.STOP_POSTGRES:
                return self.databases
            case FaultKind.KILL_BROKER | FaultKind.STOP_BROKER:
                return self.brokers
            case FaultKind.DISK_FULL:
                return self.disks
            case FaultKind.LOCK:
                return self.tables
        return self.links


# Relative frequency: a fault that stops all work is rare.
_WEIGHTS = {
    FaultKind.KILL: 8,
    FaultKind.STOP: 5,
    FaultKind.KILL_POSTGRES: 3,
    FaultKind.STOP_POSTGRES: 2,
    FaultKind.KILL_BROKER: 2,
    FaultKind.STOP_BROKER: 2,
    FaultKind.CUT: 4,
    FaultKind.REFUSE: 4,
    FaultKind.LOSE: 2,
    FaultKind.SLOW: 4,
    FaultKind.CLOCK: 3,
    FaultKind.DISK_FULL: 1,
    FaultKind.LOCK: 2,
}
_SECONDS = {
    FaultKind.KILL: (0.1, 3.0),
    FaultKind.STOP: (0.5, 5.0),
    FaultKind.KILL_POSTGRES: (0.1, 1.0),
    FaultKind.STOP_POSTGRES: (0.5, 2.0),
    FaultKind.KILL_BROKER: (0.5, 4.0),
    FaultKind.STOP_BROKER: (1.0, 5.0),
    FaultKind.CLOCK: (2.0, 10.0),
    FaultKind.DISK_FULL: (1.0, 4.0),
    FaultKind.LOCK: (0.5, 4.0),
}
_LONG = 3.0
"""In a long run one fault in ten lasts up to three times as long: longer than a member's session."""
_SERVERS = frozenset(
    {
        FaultKind.KILL_POSTGRES,
        FaultKind.STOP_POSTGRES,
        FaultKind.KILL_BROKER,
        FaultKind.STOP_BROKER,
        FaultKind.DISK_FULL,
    }
)
"""One server at a time: with two brokers of three away nothing can be written, and nothing is promised."""
_BROKER_RECOVERS_SECONDS = 6.0


def plan(seed: int, seconds: float, targets: Targets, *, mean_gap: float) -> list[Fault]:
    """The faults of a run in the order of their beginning: every kind once if there is time, then as it comes."""
    random, at, servers_are_well_at = Random(seed), mean_gap, 0.0
    kinds, faults = _kinds(random, targets), []
    while at < seconds:
        kind = next(kinds)
        if kind in _SERVERS and at < servers_are_well_at:
            kind = random.choice((FaultKind.KILL, FaultKind.REFUSE, FaultKind.SLOW))
        low, high = _SECONDS.get(kind, (0.5, 5.0))
        lasts = random.uniform(low, high) * (_LONG if seconds > 120 and random.random() < 0.1 else 1.0)
        fault = Fault(at, lasts, kind, random.choice(targets.of(kind)), _amount(random, kind))
        faults.append(fault)
        if kind in _SERVERS:
            servers_are_well_at = fault.ends_at + _BROKER_RECOVERS_SECONDS
        at += random.uniform(0.2, 1.8) * mean_gap
    return faults


def _kinds(random: Random, targets: Targets) -> Iterator[FaultKind]:
    possible = [kind for kind in FaultKind if targets.of(kind)]
    yield from random.sample(possible, len(possible))
    while True:
        yield random.choices(possible, [_WEIGHTS[kind] for kind in possible])[0]


def _amount(random: Random, kind: FaultKind) -> float:
    if kind is FaultKind.CLOCK:
        return random.choice((-1, 1)) * random.uniform(2, 300)
    return random.uniform(0.02, 0.3) if kind is FaultKind.SLOW else 0.0
