"""Which faults there are, and which of them happen when: everything is drawn from the seed before the run begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
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
    kind: Kind
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

    def of(self, kind: Kind) -> Sequence[str]:
        match kind:
            case Kind.KILL | Kind.STOP | Kind.CLOCK:
                return self.processes
            case Kind.KILL_POSTGRES | Kind.STOP_POSTGRES:
                return ("postgres",)
            case Kind.KILL_BROKER | Kind.STOP_BROKER:
                return self.brokers
            case Kind.DISK_FULL:
                return self.disks
            case Kind.LOCK:
                return self.databases
        return self.links


# Relative frequency: a fault that stops all work is rare.
_WEIGHTS = {
    Kind.KILL: 8,
    Kind.STOP: 5,
    Kind.KILL_POSTGRES: 1,
    Kind.STOP_POSTGRES: 1,
    Kind.KILL_BROKER: 2,
    Kind.STOP_BROKER: 2,
    Kind.CUT: 4,
    Kind.REFUSE: 4,
    Kind.LOSE: 2,
    Kind.SLOW: 4,
    Kind.CLOCK: 3,
    Kind.DISK_FULL: 1,
    Kind.LOCK: 2,
}
_SECONDS = {
    Kind.KILL: (0.1, 3.0),
    Kind.STOP: (0.5, 5.0),
    Kind.KILL_POSTGRES: (0.1, 1.0),
    Kind.STOP_POSTGRES: (0.5, 2.0),
    Kind.KILL_BROKER: (0.5, 4.0),
    Kind.STOP_BROKER: (1.0, 5.0),
    Kind.CLOCK: (2.0, 10.0),
    Kind.DISK_FULL: (1.0, 4.0),
    Kind.LOCK: (0.5, 4.0),
}
_LONG = 3.0
"""In a long run one fault in ten lasts up to three times as long: longer than a member's session."""
_SERVERS = frozenset({Kind.KILL_POSTGRES, Kind.STOP_POSTGRES, Kind.KILL_BROKER, Kind.STOP_BROKER, Kind.DISK_FULL})
"""One server at a time: with two brokers of three away nothing can be written, and nothing is promised."""
_BROKER_RECOVERS_SECONDS = 6.0


def plan(seed: int, seconds: float, targets: Targets, *, mean_gap: float) -> list[Fault]:
    """The faults of a run in the order of their beginning: every kind once if there is time, then as it comes."""
    random, at, servers_are_well_at = Random(seed), mean_gap, 0.0
    kinds, faults = _kinds(random, targets), []
    while at < seconds:
        kind = next(kinds)
        if kind in _SERVERS and at < servers_are_well_at:
            kind = random.choice((Kind.KILL, Kind.REFUSE, Kind.SLOW))
        low, high = _SECONDS.get(kind, (0.5, 5.0))
        lasts = random.uniform(low, high) * (_LONG if seconds > 120 and random.random() < 0.1 else 1.0)
        fault = Fault(at, lasts, kind, random.choice(targets.of(kind)), _amount(random, kind))
        faults.append(fault)
        if kind in _SERVERS:
            servers_are_well_at = fault.ends_at + _BROKER_RECOVERS_SECONDS
        at += random.uniform(0.2, 1.8) * mean_gap
    return faults


def _kinds(random: Random, targets: Targets) -> Iterator[Kind]:
    possible = [kind for kind in Kind if targets.of(kind)]
    yield from random.sample(possible, len(possible))
    while True:
        yield random.choices(possible, [_WEIGHTS[kind] for kind in possible])[0]


def _amount(random: Random, kind: Kind) -> float:
    if kind is Kind.CLOCK:
        return random.choice((-1, 1)) * random.uniform(2, 300)
    return random.uniform(0.02, 0.3) if kind is Kind.SLOW else 0.0
