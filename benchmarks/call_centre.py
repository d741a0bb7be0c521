"""A call centre's year: what its switch says, and what intake makes of it, as records for Kafka.

The same from the same seed. Busy at ten and three, quiet at night and at weekends; calls are offered, queued,
answered or abandoned, some are held or passed on to another queue, what was said is recorded, and agents are ready,
paused and signed out.
Bodies are written as text and not through the contracts: making ten million must not take longer than taking
them in. That they are what the contracts say is seen to by whoever reads them, because every one is decoded.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from zlib import crc32

from chassis.parking import RawRecord
from contracts.topics import CALLS, PARTNER_IN, topic_of_partner

BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
PARTNER = "pbx"
_QUEUES = ("repair", "billing", "complaints", "sales", "consultation", "vip")
_DEMANDS = ("fault_repair", "complaint", "consultation")
_TEAMS = 15
_SUBSCRIBERS = 50_000
_HOURS = tuple(math.exp(-(((h - 10) / 3) ** 2)) + math.exp(-(((h - 15) / 3) ** 2)) + 0.05 for h in range(24))
_CHINA = 8 * 3600
_DAY = 86_400
_SHIFT = ((0, "ready"), (2, "paused"), (2.25, "ready"), (4, "paused"), (4.5, "ready"), (8, "signed_out"))
_NAMED_ALIKE = ("after_call_work_ended", "recording_available")
"""By partners and by intake; the other events of a partner begin with `call_`."""


class Fact(NamedTuple):
    """One thing that happened: seconds since the beginning, of what, which, in which version of its stream."""

    at: float
    subject: str
    version: int
    kind: str
    leg: int
    queue: str
    agent: str | None
    more: dict[str, int | str]


@dataclass(frozen=True, slots=True)
class CallCentre:
    events: int
    agents: int = 200
    days: int = 365
    seed: int = 1
    agents_are: str = "a"
    """The letter that agents' names begin with."""

    def facts(self) -> Iterator[Fact]:
        """In the order of time, a day at a time; what a day's last calls say after midnight stands at its end."""
        chance = random.Random(self.seed)
        states = self.agents * self.days * len(_SHIFT) * 5 // 7
        calls = max(self.days, round((self.events - states) / 6.36))
        weights = [0.4 if (BEGIN + timedelta(days=day)).weekday() > 4 else 1.0 for day in range(self.days)]
        number, versions = 0, [0] * self.agents
        for day, until in enumerate(accumulate(weights)):
            found = list(self._states(day, versions)) if weights[day] == 1.0 else []
            upto = round(calls * until / sum(weights))
            for at in moments(day, upto - number, chance):
                found += _call(number, at, f"{self.agents_are}{chance.randrange(self.agents)}", chance)
                number += 1
            found.sort(key=lambda fact: (fact.at, fact.subject, fact.version))
            yield from found

    def _states(self, day: int, versions: list[int]) -> Iterator[Fact]:
        for agent in range(self.agents):
            name, start = f"{self.agents_are}{agent}", day * _DAY + (agent % 12) * 3600
            for hours, state in _SHIFT:
                versions[agent] += 1
                yield Fact(start + hours * 3600, f"agent:{name}", versions[agent], state, 0, "", name, {})


def moments(day: int, count: int, chance: random.Random) -> list[float]:
    sums = list(accumulate(_HOURS))
    hours = (bisect_left(sums, chance.random() * sums[-1]) for _ in range(count))
    return sorted(day * _DAY + ((hour * 3600 - _CHINA) % _DAY) + chance.random() * 3600 for hour in hours)


def _call(number: int, at: float, agent: str, chance: random.Random) -> list[Fact]:
    bits = f"{chance.getrandbits(128):032x}"
    subject = f"{bits[:8]}-{bits[8:12]}-5{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
    queue = _QUEUES[min(int(chance.expovariate(0.6)), 5)]
    told: list[tuple[float, str, int, str, str | None, dict[str, int | str]]] = [(at, "offered", 1, queue, None, {})]
    leg, now = 1, at + chance.random()
    while True:
        told.append((now, "queued", leg, queue, None, {}))
        wait = chance.expovariate(1 / 15)
        if chance.random() < 0.08:
            told.append((now + wait, "abandoned", leg, queue, None, {"wait_milliseconds": int(wait * 1000)}))
            break
        talk = chance.lognormvariate(5, 0.6)
        now += wait
        told.append((now, "answered", leg, queue, agent, {"wait_milliseconds": int(wait * 1000)}))
        hold = 0.0
        if chance.random() < 0.12:
            hold = chance.expovariate(1 / 30)
            told += [
                (now + talk / 2, "held", leg, queue, agent, {}),
                (now + talk / 2 + hold, "resumed", leg, queue, agent, {"hold_milliseconds": int(hold * 1000)}),
            ]
        now += talk + hold
        times = {"talk_milliseconds": int(talk * 1000), "hold_milliseconds": int(hold * 1000)}
        work = chance.expovariate(1 / 30)
        is_passed_on = leg < 3 and chance.random() < 0.05
        told.append((now, "transferred" if is_passed_on else "ended", leg, queue, agent, times))
        told.append((now + work, "after_call_work_ended", leg, queue, agent, {"work_milliseconds": int(work * 1000)}))
        if not is_passed_on:
            recorded = {"recording_id": f'"rec-{subject}"', "length_milliseconds": times["talk_milliseconds"]}
            told.append((now + 5, "recording_available", leg, queue, agent, recorded))
            break
        leg, queue, now = leg + 1, _QUEUES[(number + leg) % 6], now + 1
    if number % 5 == 0:
        told.append((now + 60, "rated", leg, queue, None, {"score": chance.randint(1, 5)}))
    told.sort(key=lambda one: one[0])
    return [Fact(one[0], subject, version, *one[1:]) for version, one in enumerate(told, start=1)]


def on_calls(facts: Iterable[Fact], start: int = 0) -> Iterator[RawRecord]:
    """As intake publishes them; `offset` counts all of them and not those of a partition."""
    for offset, fact in enumerate(facts, start):
        yield _record(CALLS.name, offset, CALLS.partitions, fact, _published)


def on_partner_in(facts: Iterable[Fact], partner: str = PARTNER) -> Iterator[RawRecord]:
    """As the switch says them."""
    topic = topic_of_partner(PARTNER_IN, partner).name
    for offset, fact in enumerate(facts):
        yield _record(topic, offset, PARTNER_IN.partitions, fact, _said)


def _record(topic: str, offset: int, partitions: int, fact: Fact, write: Any) -> RawRecord:
    key = fact.subject.encode()
    value, headers = write(fact)
    return RawRecord(topic, crc32(key) % partitions, offset, key, value, headers)


def _time(at: float) -> bytes:
    return (BEGIN + timedelta(seconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()


def _event_id(fact: Fact) -> str:
    return f"{fact.subject}:{fact.version}"


def _published(fact: Fact) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    said, at = _event_id(fact), _time(fact.at)
    name = "agent_state_changed" if fact.leg == 0 else fact.kind
    bits = f"{crc32(said.encode()):08x}"
    headers = (
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{bits}-{bits[:4]}-4{bits[5:]}-a{bits[1:4]}-{fact.version:04x}{bits}".encode()),
        ("ce_source", b"/linework/intake"),
        ("ce_type", f"linework.call.{name}.v1".encode()),
        ("ce_subject", fact.subject.encode()),
        ("ce_time", at),
        ("ce_recordedtime", _time(fact.at + 0.25)),
        ("ce_actor", PARTNER.encode()),
        ("ce_actorrole", b"partner"),
        ("ce_entityversion", str(fact.version).encode()),
        ("ce_causationid", said.encode()),
    )
    if fact.leg == 0:
        return _published_state(fact, said), headers
    agent = "null" if fact.agent is None else f'"{fact.agent}"'
    team = "null" if fact.agent is None else f'"{_team(fact.agent)}"'
    demand = _DEMANDS[int(fact.subject[0], 16) % 3]
    subscriber = f'"s{int(fact.subject[:8], 16) % _SUBSCRIBERS}"' if fact.subject[1] < "c" else "null"
    more = "".join(f',"{name}":{value}' for name, value in fact.more.items())
    body = (
        f'{{"fact_id":"{PARTNER}:{said}","revision":1,"leg":{fact.leg},"queue":"{fact.queue}","agent_id":{agent},'
        f'"team":{team},"channel":"phone","direction":"inbound","demand_type":"{demand}","subscriber_id":{subscriber},'
        f'"faults":[]{more}}}'
    )
    return body.encode(), headers


def _published_state(fact: Fact, said: str) -> bytes:
    return (
        f'{{"fact_id":"{PARTNER}:{said}","agent_id":"{fact.agent}","state":"{fact.kind}","revision":1,'
        f'"team":"{_team(fact.agent or "")}","reason":null,"queues":[],"partner_id":"{PARTNER}","faults":[]}}'
    ).encode()


def _team(agent: str) -> str:
    return f"team-{crc32(agent.encode()) % _TEAMS}"


def _said(fact: Fact) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    if fact.leg == 0:
        name, body = "agent_state_changed", f'{{"agent":"{fact.agent}","state":"{fact.kind}"}}'
    else:
        name = fact.kind if fact.kind in _NAMED_ALIKE else f"call_{fact.kind}"
        agent = "" if fact.agent is None else f',"agent":"{fact.agent}"'
        caller = ""
        if fact.kind == "offered":
            demand = _DEMANDS[int(fact.subject[0], 16) % 3]
            caller = f',"caller":"139{int(fact.subject[:8], 16) % 10**8:08}","demand_type":"{demand}"'
        more = "".join(f',"{one}":{value}' for one, value in fact.more.items() if one != "hold_milliseconds")
        body = f'{{"leg":{fact.leg},"queue":"{fact.queue}"{agent}{caller}{more}}}'
    headers = (
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", _event_id(fact).encode()),
        ("ce_source", f"/partner/{PARTNER}".encode()),
        ("ce_type", f"linework.partner.{name}.v1".encode()),
        ("ce_subject", fact.subject.encode()),
        ("ce_time", _time(fact.at)),
        ("ce_actor", PARTNER.encode()),
        ("ce_actorrole", b"partner"),
    )
    return body.encode(), headers
