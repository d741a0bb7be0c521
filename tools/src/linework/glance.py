"""A health report of each service from its processes' metrics, for `linework status`, local or remote."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

_SAMPLE = re.compile(r"^(linework_\w+)(?:\{([^}]*)\})? ([0-9.eE+-]+|\+Inf|NaN)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_MOST_OF_THEM = 0.95
# An HTTP proxy of this machine is of no use on the way to loopback or into a cluster.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Sample = tuple[str, Mapping[str, str], float]


@dataclass(frozen=True)
class Glance:
    """One service. What nobody could be asked for is None."""

    service: str
    is_http_ready: bool
    is_worker_ready: bool | None
    outbox_rows: int | None = None
    outbox_age_seconds: float | None = None
    lag: dict[str, int] = field(default_factory=dict)
    """By topic: records behind its end."""
    last_poll_age_seconds: float | None = None
    parked_keys: int | None = None
    event_age_seconds: float | None = None
    """95 of a hundred events were applied at this age or earlier, since the worker started."""

    @property
    def is_ready(self) -> bool:
        return self.is_http_ready and self.is_worker_ready is not False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def glance_at(services: Mapping[str, str], workers: Mapping[str, str]) -> list[Glance]:
    """All services at once, by the addresses of their HTTP processes and, where known, of their workers."""
    with ThreadPoolExecutor(max(1, len(services))) as pool:
        return list(pool.map(lambda name: _glance(name, services[name], workers.get(name)), services))


def _glance(service: str, http: str, worker: str | None) -> Glance:
    told = samples(_read(f"{http}/metrics") or "")
    of_worker = samples(_read(f"{worker}/metrics") or "") if worker else []
    # Outbox and parked keys are of the database: whichever process answers knows them.
    either = told or of_worker
    return Glance(
        service,
        is_http_ready=_read(f"{http}/readyz") is not None,
        is_worker_ready=_read(f"{worker}/readyz") is not None if worker else None,
        outbox_rows=_whole(_value(either, "linework_outbox_rows")),
        outbox_age_seconds=_value(either, "linework_outbox_age_seconds"),
        lag={labels["topic"]: int(value) for name, labels, value in of_worker if name == "linework_consumer_lag"},
        last_poll_age_seconds=_value(of_worker, "linework_last_poll_age_seconds"),
        parked_keys=_whole(_value(either, "linework_parked_keys")),
        event_age_seconds=age_of_most(of_worker),
    )


def _read(url: str) -> str | None:
    """What answers with 200, else None."""
    try:
        with _OPENER.open(url, timeout=5) as answer:
            return answer.read().decode()
    except (OSError, ValueError):  # whatever is not 200 is an OSError too
        return None


def samples(metrics: str) -> list[Sample]:
    """Prometheus' text: name, labels, value."""
    return [(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in _SAMPLE.findall(metrics)]


def _value(told: Iterable[Sample], name: str) -> float | None:
    return next((value for found, _, value in told if found == name), None)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def age_of_most(told: Iterable[Sample]) -> float | None:
    """The upper end of the bucket that the 95th of a hundred events falls into; None when there was none."""
    buckets = sorted(
        (float(labels["le"]), n) for name, labels, n in told if name == "linework_event_age_seconds_bucket"
    )
    if not buckets or not buckets[-1][1]:
        return None
    wanted = _MOST_OF_THEM * buckets[-1][1]
    return next(bound for bound, count in buckets if count >= wanted)


def lines(glances: Iterable[Glance]) -> list[str]:
    """A table for people."""
    head = f"{'service':10} {'http':9} {'worker':9} {'outbox':14} {'behind':32} {'polled':9} {'parked':6} events"
    return [head, *map(_line, glances)]


def _line(one: Glance) -> str:
    outbox = "?" if one.outbox_rows is None else f"{one.outbox_rows}"
    if one.outbox_rows:
        outbox += f", {one.outbox_age_seconds:.0f} s old"
    behind = ", ".join(f"{topic} {count}" for topic, count in sorted(one.lag.items())) or "?"
    polled = "?" if one.last_poll_age_seconds is None else f"{one.last_poll_age_seconds:.1f} s"
    parked = "?" if one.parked_keys is None else str(one.parked_keys)
    age = "none yet" if one.event_age_seconds is None else f"within {one.event_age_seconds:g} s"
    return (
        f"{one.service:10} {_ready(one.is_http_ready):9} {_ready(one.is_worker_ready):9} {outbox:14} {behind:32} "
        f"{polled:9} {parked:6} {age}"
    )


def _ready(is_ready: bool | None) -> str:
    return "?" if is_ready is None else "ready" if is_ready else "not ready"
