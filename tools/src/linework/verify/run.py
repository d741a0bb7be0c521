"""Combines the checks: waits for all events, reads the stream, then queries each service.

The installation may be under load meanwhile. Differences of the first pass are checked again order by order, against
the stream as it is then; only persistent differences are reported.
"""

import asyncio
from collections.abc import Awaitable, Iterable

from contracts.lifecycle import Service as ServiceName
from contracts.topics import WORK_ORDERS
from linework.client import SUPERVISOR, NotReached, Refused, ServiceClients
from linework.client_service import OrderService, part
from linework.recount import Recount
from linework.stopped import Stopped
from linework.verify.facts import Facts
from linework.verify.figures import FigureCheck
from linework.verify.laws import Findings, Law, Ledger
from linework.verify.outcome import Causes, Outcome
from linework.verify.parked import ParkedReader
from linework.verify.progress import Say, VerifyProgress
from linework.verify.quiet import Observer, Restless, Waiting
from linework.verify.repairs import repairs_of
from linework.verify.states import difference
from linework.verify.stream import Record, RecordSource, stream_of

LIMIT_SECONDS = 600.0
"""A check ends after this time, with what was checked until then."""
_ROUNDS = 4
_MOST_LOOKED_AT_AGAIN = 2_000
_LONGEST_WAIT_SECONDS = 10
_LONGEST_STOP_SECONDS = 5
_PROOFS = 25

Acknowledged = Iterable[tuple[str, int, str]]
Interruption = asyncio.Future[str]
"""Gets its result, such as "by Ctrl-C", to end the check at once."""


async def verify(
    city: ServiceClients,
    *,
    wait_seconds: float,
    acknowledged: Acknowledged | None,
    say: Say,
    limit_seconds: float = LIMIT_SECONDS,
    interruption: Interruption | None = None,
) -> Outcome:
    """Checks every law; ends after `limit_seconds` at the latest, of which `wait_seconds` are for events in flight."""
    verifier = _Verifier(city, wait_seconds, say)
    return await verifier.within(verifier.run(acknowledged), limit_seconds, interruption)


async def recount(
    city: ServiceClients,
    *,
    only: frozenset[str],
    wait_seconds: float,
    say: Say,
    limit_seconds: float = LIMIT_SECONDS,
    interruption: Interruption | None = None,
) -> Outcome:
    """Only compares the figures of these metrics, or of all, with the recount."""
    verifier = _Verifier(city, wait_seconds, say)
    return await verifier.within(verifier.recount(only), limit_seconds, interruption)


class _Verifier:
    def __init__(self, city: ServiceClients, wait_seconds: float, say: Say) -> None:
        self.outcome = Outcome("streams")
        self._city = city
        self._waiting = Waiting(Observer(city), wait_seconds)
        self._progress = VerifyProgress(say)
        self._findings = self.outcome.findings
        self._parked = ParkedReader(city, Findings())
        self._recount = Recount()
        self._ledger = Ledger(self._findings, self._recount)
        self._facts = Facts(self._findings, self._recount)
        self._stream: RecordSource | None = None
        self._behind: dict[str, str] = {}

    async def within(self, work: Awaitable[None], seconds: float, interruption: Interruption | None) -> Outcome:
        """Works until the end, the time limit or the interruption; findings up to then count."""
        task = asyncio.ensure_future(work)
        try:
            awaited = {task} if interruption is None else {task, interruption}
            await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                is_interrupted = interruption is not None and interruption.done()
                reason = (
                    f"stopped {interruption.result()}"
                    if is_interrupted
                    else f"the limit of {seconds:.0f} s was reached"
                )
                unfinished = f"{reason}, while {self._progress.step}"
                self.outcome.unfinished = "; ".join(filter(None, (self.outcome.unfinished, unfinished)))
                task.cancel()
                await asyncio.wait({task}, timeout=_LONGEST_STOP_SECONDS)
            else:
                task.result()
        except (NotReached, Refused, Stopped) as error:
            self.outcome.unfinished = f"while {self._progress.step}: {error}"
        finally:
            task.cancel()
        self._sum_up()
        return self.outcome

    async def run(self, acknowledged: Acknowledged | None) -> None:
        checked, ledger = self.outcome.checked, self._ledger
        self._parked = ParkedReader(self._city, self._findings)
        for restless in await self._begin("waiting until outboxes are empty and everything is read"):
            what = f"{restless.reason}, after {self._waiting.seconds:.0f} s"
            self._findings.add(Law.OUTBOXES, restless.service, what)
        checked[Law.OUTBOXES] = checked[Law.PARKED] = len(self._city.services)
        try:
            for name in (ServiceName.INTAKE, ServiceName.DISPATCH, ServiceName.FIELDWORK, ServiceName.QA):
                self._progress.begin(f"comparing the orders of {name.value}")
                if await self._attempt(self._check_states(name.value)):
                    checked[Law.STATES] = checked.get(Law.STATES, 0) + len(ledger.threads)
            await self._attempt(self._check_figures(frozenset()))
            await self._attempt(self._check_proofs())
            # Afterwards, because the stream has been read further meanwhile.
            ledger.check_requests()
            checked[Law.REQUESTS] = len(ledger.requests)
        finally:
            # Also after the time limit: the stream was read to its end, and no service is needed.
            if acknowledged is not None:
                checked[Law.JOURNAL] = ledger.check_journal(acknowledged)

    async def _attempt(self, step: Awaitable[None]) -> bool:
        """If a service refuses to answer, this step stays unfinished and the next ones are checked."""
        try:
            await step
            return True
        except (NotReached, Refused) as error:
            self.outcome.unfinished = self.outcome.unfinished or f"while {self._progress.step}: {error}"
            return False

    async def recount(self, only: frozenset[str]) -> None:
        await self._begin("waiting until everything is read")
        await self._check_figures(only)

    async def _begin(self, waiting_for: str) -> list[Restless]:
        """Waits, then reads parked records, repairs and the stream."""
        self._progress.begin(waiting_for)
        restless = await self._waiting.until_quiet()
        self._behind = {found.service: found.reason for found in restless}
        self._progress.begin("reading what is parked")
        repairs = await repairs_of(self._city, self._findings)
        for count, done in ((len(repairs.by_place), "repaired"), (len(repairs.discarded), "discarded")):
            if count:
                self.outcome.notes.append(f"{count} records of the topics were {done} by operators.")
        for name in self._city.services:
            await self._parked.refresh(name)
        self._stream = stream_of(self._city, repairs, self._parked.at["reporting"].places, self._progress)
        self.outcome.source = self._stream.name
        self._progress.begin(f"reading the {self._stream.name}")
        await self._read_on()
        return restless

    async def _read_on(self) -> None:
        assert self._stream is not None
        await self._stream.read_on(self._ledger, self._facts)

    def _sum_up(self) -> None:
        outcome, ledger, stream = self.outcome, self._ledger, self._stream
        outcome.causes = self._causes()
        if ledger.event_count:
            for law in (Law.VERSIONS, Law.CHAIN, Law.CUSTODIAN, Law.STEPS):
                outcome.checked[law] = ledger.event_count
        if ledger.repeat_count:
            outcome.notes.append(f"{ledger.repeat_count} events are in the topic more than once, which is allowed.")
        if stream is not None and stream.left.unreadable_count:
            count, first = stream.left.unreadable_count, stream.left.first_unreadable
            outcome.notes.append(f"{count} records are not messages and were skipped, the first at {first}.")
        if isinstance(stream, Record):
            outcome.notes.append(
                "The streams were read from reporting's record; with KAFKA_BOOTSTRAP_SERVERS it is read from Kafka."
            )

    def _causes(self) -> Causes:
        keys = {name: self._parked.key_count(name) for name in self._city.services}
        causes = Causes(
            parked_keys={name: count for name, count in keys.items() if count},
            broken_orders=self._ledger.broken_count,
            behind=self._behind,
        )
        if self._stream is not None:
            causes.unreadable_records = self._stream.left.unreadable_count
            causes.unknown_types = dict(self._stream.left.unknown_types)
        return causes

    def _causes_in_brackets(self) -> str:
        return f" ({causes})" if (causes := str(self._causes())) else ""

    async def _check_states(self, name: str) -> None:
        service = self._city.services[name]
        assert isinstance(service, OrderService)
        suspects: dict[str, str] = {}
        unseen, seen_count = set(self._ledger.threads), 0
        async for found in service.every_work_order(by=SUPERVISOR, texts="sealed"):
            unseen.discard(found["id"])
            self._suspect(suspects, found["id"], difference(self._expected(found["id"]), found))
            seen_count += 1
            self._progress.count(seen_count, len(self._ledger.threads))
        for order_id in unseen:
            self._suspect(suspects, order_id, difference(self._expected(order_id), None))
        await self._parked.refresh(name)
        explained = {order_id: what for order_id, what in suspects.items() if self._is_parked(name, order_id)}
        suspects = {order_id: what for order_id, what in suspects.items() if order_id not in explained}
        for _ in range(_ROUNDS if len(suspects) <= _MOST_LOOKED_AT_AGAIN else 0):
            if not suspects:
                break
            suspects = await self._look_again(service, suspects)
        for order_id, what in (explained | suspects).items():
            self._findings.add(Law.STATES, f"{name}, order {order_id}", what + self._cause_of_state(name, order_id))

    def _is_parked(self, service: str, order_id: str) -> bool:
        return self._parked.record_count(service, WORK_ORDERS.name, order_id) > 0

    def _cause_of_state(self, service: str, order_id: str) -> str:
        count = self._parked.record_count(service, WORK_ORDERS.name, order_id)
        if count:
            return f" ({service} has parked {count} records of this key)"
        return f" ({service}: {self._behind[service]})" if service in self._behind else ""

    def _expected(self, order_id: str):
        thread = self._ledger.threads.get(order_id)
        return thread.state() if thread else None

    def _suspect(self, suspects: dict[str, str], order_id: str, what: str | None) -> None:
        thread = self._ledger.threads.get(order_id)
        if what is not None and not (thread and thread.is_broken):
            suspects[order_id] = what

    async def _look_again(self, service: OrderService, suspects: Iterable[str]) -> dict[str, str]:
        await self._waiting.until_quiet(_LONGEST_WAIT_SECONDS)
        found = {order_id: await self._order_at(service, order_id) for order_id in suspects}
        # Read after the service responded, so that the stream has everything that the service can have shown.
        await self._read_on()
        left: dict[str, str] = {}
        for order_id, order in found.items():
            self._suspect(left, order_id, difference(self._expected(order_id), order))
        return left

    async def _order_at(self, service: OrderService, order_id: str) -> dict | None:
        try:
            return await service.call_json("GET", f"/v1/work-orders/{part(order_id)}", by=SUPERVISOR, texts="sealed")
        except Refused as error:
            if error.code == "work_order_not_found":
                return None
            raise

    async def _check_figures(self, only: frozenset[str]) -> None:
        assert self._stream is not None
        self._progress.begin("comparing figures with a recount")
        check = FigureCheck(
            self._city,
            self._stream,
            self._ledger,
            self._facts,
            self._recount,
            self._parked,
            self._findings,
            self._waiting,
            self._progress,
            self._causes_in_brackets,
        )
        try:
            await check.run(only)
        finally:
            self.outcome.checked[Law.FIGURES] = check.compared_count
        self.outcome.checked[Law.RECORD] = sum(check.counts)

    async def _check_proofs(self) -> None:
        self._progress.begin("comparing proofs with the stream")
        for order_id in sorted(self._ledger.threads)[:_PROOFS]:
            await self._check_proof(order_id)

    async def _check_proof(self, order_id: str) -> None:
        try:
            proof = await self._city.reporting.proof(order_id, by=SUPERVISOR)
        except Refused as error:
            if error.status != 404:
                raise
            what = f"has no events of it{self._cause_of_state('reporting', order_id)}"
            self._findings.add(Law.RECORD, f"reporting, order {order_id}", what)
            return
        thread = self._ledger.threads[order_id]
        if len(proof["events"]) == thread.version and proof["final_hash"] != thread.last_hash:
            self._findings.add(Law.RECORD, f"order {order_id}", "reporting's proof does not end with the stream's hash")
