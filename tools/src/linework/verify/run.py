"""Puts the checks together: first everything comes to rest, then the stream is read, then each service is asked.

An installation may go on working meanwhile. What differs at the first look is looked at again, one order at a
time, against what the stream says by then; only what still differs is reported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from contracts.lifecycle import Service as ServiceName
from linework.client import SUPERVISOR, Installation, Refused
from linework.client_service import OrderService, part
from linework.recount import Asked, Recount, differences
from linework.verify.facts import Facts
from linework.verify.figures import questions
from linework.verify.laws import Findings, Law, Ledger
from linework.verify.quiet import Observer, check_parked
from linework.verify.repairs import repairs_of
from linework.verify.states import difference
from linework.verify.stream import Record, Stream, stream_of

_ROUNDS = 4
_MOST_LOOKED_AT_AGAIN = 2_000
_PROOFS = 25
_COUNTS = ("message_count", "call_message_count", "quality_message_count")

Say = Callable[[str], None]
Acknowledged = Iterable[tuple[str, int, str]]


@dataclass(slots=True)
class Outcome:
    """What was checked, how much of it, and what was found."""

    source: str
    findings: Findings = field(default_factory=Findings)
    checked: dict[Law, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_lawful(self) -> bool:
        return self.findings.count == 0


async def verify(city: Installation, *, wait_seconds: float, acknowledged: Acknowledged | None, say: Say) -> Outcome:
    verifier = await _verifier(city, wait_seconds, say)
    try:
        await verifier.run(acknowledged)
    finally:
        verifier.observer.close()
    return verifier.outcome


async def recount(city: Installation, *, only: frozenset[str], wait_seconds: float, say: Say) -> Outcome:
    """Only holds the figures of these metrics, or of every one, against the recount."""
    verifier = await _verifier(city, wait_seconds, say)
    try:
        await verifier.recount(only)
    finally:
        verifier.observer.close()
    return verifier.outcome


async def _verifier(city: Installation, wait_seconds: float, say: Say) -> "_Verifier":
    findings = Findings()
    repairs = await repairs_of(city, findings)
    verifier = _Verifier(city, stream_of(city, repairs), wait_seconds, say, findings)
    for count, done in ((len(repairs.by_place), "repaired"), (len(repairs.discarded), "discarded")):
        if count:
            verifier.outcome.notes.append(f"{count} records of the topics were {done} by operators.")
    return verifier


class _Verifier:
    def __init__(self, city: Installation, stream: Stream, wait_seconds: float, say: Say, findings: Findings) -> None:
        self.outcome = Outcome(stream.name, findings)
        self.observer = Observer(city)
        self._city = city
        self._stream = stream
        self._wait_seconds = wait_seconds
        self._say = say
        self._findings = self.outcome.findings
        self._recount = Recount()
        self._ledger = Ledger(self._findings, self._recount)
        self._facts = Facts(self._findings, self._recount)

    async def run(self, acknowledged: Acknowledged | None) -> None:
        checked, findings, ledger = self.outcome.checked, self._findings, self._ledger
        self._say("waiting until outboxes are empty and everything is read")
        restless = await self.observer.wait(self._wait_seconds)
        for one in restless:
            findings.add(Law.OUTBOXES, one.service, f"{one.reason}, after {self._wait_seconds:.0f} s")
        checked[Law.OUTBOXES] = len(self._city.services)
        checked[Law.PARKED] = await check_parked(self._city, findings)
        self._say(f"reading the {self._stream.name}")
        await self._stream.read_on(ledger, self._facts)
        for name in (ServiceName.INTAKE, ServiceName.DISPATCH, ServiceName.FIELDWORK, ServiceName.QA):
            self._say(f"comparing the orders of {name.value}")
            await self._check_states(name.value)
        checked[Law.STATES] = 4 * len(ledger.threads)
        self._say("comparing figures with a recount")
        await self._check_reporting()
        self._check_stream(acknowledged)

    async def recount(self, only: frozenset[str]) -> None:
        self._say("waiting until everything is read")
        await self.observer.wait(self._wait_seconds)
        self._say(f"reading the {self._stream.name}")
        await self._stream.read_on(self._ledger, self._facts)
        await self._check_figures(only)

    def _check_stream(self, acknowledged: Acknowledged | None) -> None:
        """What only the whole stream tells; last, because it has been read further meanwhile."""
        checked, ledger = self.outcome.checked, self._ledger
        ledger.check_requests()
        checked[Law.VERSIONS] = checked[Law.CHAIN] = checked[Law.CUSTODIAN] = checked[Law.STEPS] = ledger.event_count
        checked[Law.REQUESTS] = len(ledger.requests)
        if acknowledged is not None:
            checked[Law.JOURNAL] = ledger.check_journal(acknowledged)
        if ledger.repeat_count:
            self.outcome.notes.append(f"{ledger.repeat_count} events stand in the topic more than once, as they may.")
        if self._stream.malformed:
            count, first = len(self._stream.malformed), self._stream.malformed[0]
            self.outcome.notes.append(f"{count} records are no messages and were left out, the first at {first}.")
        if isinstance(self._stream, Record):
            self.outcome.notes.append(
                "The streams were read from reporting's record; with KAFKA_BOOTSTRAP_SERVERS it is read from Kafka."
            )

    async def _check_states(self, name: str) -> None:
        service = self._city.services[name]
        assert isinstance(service, OrderService)
        suspects: dict[str, str] = {}
        unseen = set(self._ledger.threads)
        async for found in service.every_work_order(by=SUPERVISOR, texts="sealed"):
            unseen.discard(found["id"])
            self._suspect(suspects, found["id"], difference(self._expected(found["id"]), found))
        for order_id in unseen:
            self._suspect(suspects, order_id, difference(self._expected(order_id), None))
        for _ in range(_ROUNDS if len(suspects) <= _MOST_LOOKED_AT_AGAIN else 0):
            if not suspects:
                break
            suspects = await self._look_again(service, suspects)
        for order_id, what in suspects.items():
            self._findings.add(Law.STATES, f"{name}, order {order_id}", what)

    @property
    def _counts(self) -> tuple[int, int, int]:
        """How many messages of orders, of calls and of quality the streams have, each counted once."""
        return self._ledger.message_count, self._facts.message_count, self._facts.notice_count

    def _expected(self, order_id: str):
        thread = self._ledger.threads.get(order_id)
        return thread.state() if thread else None

    def _suspect(self, suspects: dict[str, str], order_id: str, what: str | None) -> None:
        thread = self._ledger.threads.get(order_id)
        if what is not None and not (thread and thread.is_broken):
            suspects[order_id] = what

    async def _look_again(self, service: OrderService, suspects: Iterable[str]) -> dict[str, str]:
        await self.observer.wait(min(self._wait_seconds, 10))
        found = {order_id: await self._order_at(service, order_id) for order_id in suspects}
        # Read after the service was asked, so that the stream has whatever the service can have shown.
        await self._stream.read_on(self._ledger, self._facts)
        left: dict[str, str] = {}
        for order_id, order in found.items():
            self._suspect(left, order_id, difference(self._expected(order_id), order))
        return left

    async def _order_at(self, service: OrderService, order_id: str) -> dict | None:
        try:
            answer = await service.call("GET", f"/v1/work-orders/{part(order_id)}", by=SUPERVISOR, texts="sealed")
        except Refused as error:
            if error.code == "work_order_not_found":
                return None
            raise
        return msgspec.json.decode(answer.body)

    async def _check_reporting(self) -> None:
        checked, broken = self.outcome.checked, any(thread.is_broken for thread in self._ledger.threads.values())
        if broken:
            self.outcome.notes.append("Figures were not compared: the stream of some orders is broken.")
            return
        await self._check_figures(frozenset())
        checked[Law.RECORD] = sum(self._counts)
        for order_id in sorted(self._ledger.threads)[:_PROOFS]:
            await self._check_proof(order_id)

    async def _check_figures(self, only: frozenset[str]) -> None:
        checked = self.outcome.checked
        metrics = (await self._city.reporting.read("/v1/metrics", by=SUPERVISOR))["items"]
        for asked in questions(metric for metric in metrics if not only or metric["id"] in only):
            await self._check_figure(asked)
            checked[Law.FIGURES] = checked.get(Law.FIGURES, 0) + 1

    async def _check_figure(self, asked: Asked) -> None:
        for _ in range(_ROUNDS):
            shown = await self._city.reporting.read(f"/v1/figures/{asked.metric}", by=SUPERVISOR, **asked.query)
            read = tuple(shown["read_up_to"][name] for name in _COUNTS)
            if read == self._counts:
                for told in differences(asked, shown["rows"], self._recount.rows(asked, shown)):
                    self._findings.add(Law.FIGURES, "reporting", told)
                return
            await self.observer.wait(min(self._wait_seconds, 10))
            await self._stream.read_on(self._ledger, self._facts)
        self._findings.add(
            Law.RECORD,
            "reporting",
            f"of orders, calls and quality it has read {read} messages; the streams have {self._counts}",
        )

    async def _check_proof(self, order_id: str) -> None:
        proof = await self._city.reporting.proof(order_id, by=SUPERVISOR)
        thread = self._ledger.threads[order_id]
        if len(proof["events"]) == thread.version and proof["final_hash"] != thread.last_hash:
            self._findings.add(Law.RECORD, f"order {order_id}", "reporting's proof does not end with the stream's hash")
