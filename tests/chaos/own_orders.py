"""Orders of one test on an installation of fieldwork, which writes, and qa, which reads, for planted bugs.

They are brought to `processing` by records written straight into the stream, and nothing but these is checked: what a
planted bug broke for one test does not trouble the next.
"""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer
from tests.chaos.breakable import BreakableInstallation
from tests.chaos.checker import Report, check_history, read_stream
from tests.chaos.history import History
from tests.chaos.parts import all_ready
from tests.chaos.planted import Bug

from chassis.sealing import MasterKeys
from chassis.testing import eventually
from contracts.codec import encode
from contracts.lifecycle import Status
from contracts.order import WorkOrder
from contracts.topics import WORK_ORDERS
from linework.client import Patience, Refused, ServiceClients, technician
from linework.runtime.program import sealing_master_keys
from linework.verify.laws import Findings, Ledger
from linework.verify.states import difference
from work_orders.sealing_keys import key_place
from work_orders.testing import Stream

WRITER, WRITERS_WORKERS = "fieldwork", ("fieldwork_worker", "fieldwork_worker_1")
READERS_WORKER = "qa_worker"
_NORTH = technician("north", sub="north-1")
SUBSCRIBER = "s-1"
"""Whose orders those of `Stream` are."""


class OwnOrders:
    def __init__(self, installation: BreakableInstallation, client: ServiceClients, history: History) -> None:
        self.installation = installation
        self.history = history
        self.orders: dict[str, WorkOrder] = {}
        self._client = client
        self._written: set[str] = set()

    async def add_orders(self, count: int) -> None:
        """Orders that fieldwork holds, known to both services."""
        await self._give_key()
        streams = [Stream(f"own-{uuid.uuid4()}").until(Status.PROCESSING) for _ in range(count)]
        async with AIOKafkaProducer(bootstrap_servers=self.installation.bootstrap_servers) as producer:
            for stream in streams:
                for message in stream.messages:
                    self._written.add(message.id)
                    key, value, headers = encode(message)
                    await producer.send_and_wait(WORK_ORDERS.name, value, key=key, headers=headers)
                assert stream.order is not None
                self.orders[stream.order_id] = stream.order
        # Not `at_rest`: a planted bug may note that records were read before it applies them.
        await eventually(self._are_known, seconds=60)

    async def _are_known(self) -> bool:
        counted = "select count(*) as known from work_orders where id = any($1) and status = 'processing'"
        known = [await self.installation.rows(each, counted, list(self.orders)) for each in self.installation.services]
        return all(rows[0]["known"] == len(self.orders) for rows in known)

    async def _give_key(self) -> None:
        """The key that notes are sealed with, as if intake had issued it."""
        masters = MasterKeys.parse(sealing_master_keys(self.installation.folder))
        key = masters.new_key(place=key_place(SUBSCRIBER))[1]
        for service in self.installation.services:
            await self.installation.rows(
                service,
                """insert into sealing_keys (subscriber_id, entity_version, master_key_id, wrapped)
                   values ($1, 1, $2, $3) on conflict do nothing""",
                SUBSCRIBER,
                key.master_key_id,
                key.text,
            )

    async def note(self, order_id: str, text: str) -> bool:
        """A note on the order as it is known here; whether it was accepted."""
        fieldwork = self._client.fieldwork
        return await self._act(order_id, lambda order: fieldwork.add_note(order, note=text, by=_NORTH))

    async def suspend(self, order_id: str, reason: str) -> bool:
        """A decision, which unlike a note needs the version that it was made on; whether it was accepted."""
        fieldwork, until = self._client.fieldwork, (datetime.now(UTC) + timedelta(days=1)).isoformat()
        return await self._act(order_id, lambda order: fieldwork.suspend(order, reason=reason, until=until, by=_NORTH))

    async def _act(self, order_id: str, act: Callable[[WorkOrder], Awaitable[WorkOrder]]) -> bool:
        try:
            self.orders[order_id] = await act(self.orders[order_id])
        except Refused as error:
            if error.code != "stale_version":
                raise
            return False
        return True

    async def plant(self, bug: Bug | None, names: Iterable[str] = ()) -> None:
        """These processes have the bug and all others have none; those that have to change are restarted."""
        changed = []
        for process in self.installation.processes:
            wanted = bug if process.name in names else None
            if process.bug != (wanted or ""):
                process.plant(wanted)
                self.installation.parts[process.name].kill(back_after=0.0)
                changed.append(process)
        await eventually(lambda: all(self.installation.parts[process.name].is_up for process in changed), seconds=60)
        assert await all_ready(changed, 60) == []

    async def check(self) -> Report:
        """The checks of a long run, on these orders."""
        await self.installation.at_rest()
        report, findings = Report(), Findings()
        messages = [one for one in await read_stream(self.installation.bootstrap_servers) if one.subject in self.orders]
        ledger = Ledger(findings)
        for message in messages:
            ledger.take(message)
        report.check("laws", ledger.event_count, (f"{one.law.name}: {one.what}" for one in findings.kept))
        check_history(self.history, [one for one in messages if one.id not in self._written], report)
        for service in self.installation.services:
            report.check(f"state of {service}", len(self.orders), await self._wrong_states(service, ledger))
            parked = await self.installation.rows(
                service, "select reason from parked where key = any($1)", list(self.orders)
            )
            report.check(f"parked by {service}", len(parked), (row["reason"] for row in parked))
        return report

    async def _wrong_states(self, service: str, ledger: Ledger) -> list[str]:
        rows = await self.installation.rows(
            service, "select id, body from work_orders where id = any($1)", list(self.orders)
        )
        found = {row["id"]: json.loads(row["body"]) for row in rows}
        faults = (difference(ledger.threads[key].state(), found.get(key)) for key in self.orders)
        return [fault for fault in faults if fault]


@contextlib.asynccontextmanager
async def opened_orders(installation: BreakableInstallation) -> AsyncIterator[OwnOrders]:
    history = History(installation.folder / f"history-{uuid.uuid4()}.jsonl")
    patience = Patience(30, for_handover=True)
    with contextlib.closing(history):
        async with ServiceClients(installation.addresses_by_links, patience=patience) as client:
            history.watch(client, seed=1, asked_twice=0.0)
            yield OwnOrders(installation, client, history)
