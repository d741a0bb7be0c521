"""Makes the faults of a plan happen, and undoes each when its time is over."""

import asyncio
import contextlib
import time

import asyncpg
from tests.chaos.breakable import BreakableInstallation
from tests.chaos.faults import Fault, FaultKind, Targets
from tests.chaos.links import State

_CUTS = {FaultKind.CUT: State.SILENT, FaultKind.REFUSE: State.REFUSED, FaultKind.LOSE: State.LOST}
_TABLE = {"reporting": "stream_state"}


class Injector:
    def __init__(self, installation: BreakableInstallation) -> None:
        self._installation = installation
        self._began_at = time.monotonic()
        self.timeline: list[str] = []
        installation.say = self.say

    @property
    def targets(self) -> Targets:
        installation = self._installation
        return Targets(
            processes=[process.name for process in installation.processes if process.name != "issuer"],
            brokers=installation.brokers if len(installation.brokers) > 1 else (),
            links=list(installation.links),
            disks=[
                name for name in installation.disks if name in installation.databases or len(installation.brokers) > 1
            ],
            databases=installation.databases,
            tables=installation.services,
        )

    def say(self, text: str) -> None:
        self.timeline.append(f"{time.monotonic() - self._began_at:7.2f} s  {text}")

    async def run(self, faults: list[Fault]) -> None:
        """All faults, each at its time; afterwards everything is as it was, or on its way there."""
        self._began_at = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(max(0.0, self._began_at + fault.at - time.monotonic()))
                self.say(str(fault))
                group.create_task(self._happen(fault))

    async def _happen(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.KILL | FaultKind.KILL_POSTGRES | FaultKind.KILL_BROKER:
                self._installation.parts[fault.target].kill(back_after=fault.seconds)
                await asyncio.sleep(fault.seconds)
            case FaultKind.STOP | FaultKind.STOP_POSTGRES | FaultKind.STOP_BROKER:
                await self._stop(fault)
            case FaultKind.CUT | FaultKind.REFUSE | FaultKind.LOSE | FaultKind.SLOW:
                await self._hinder(fault)
            case FaultKind.CLOCK:
                process = self._installation.process(fault.target)
                process.set_clock(fault.amount)
                await asyncio.sleep(fault.seconds)
                process.set_clock(0)
            case FaultKind.DISK_FULL:
                await self._fill_disk(fault)
            case FaultKind.LOCK:
                await self._lock(fault)

    async def _stop(self, fault: Fault) -> None:
        part = self._installation.parts[fault.target]
        if part.is_up:
            part.freeze()
            await asyncio.sleep(fault.seconds)
            part.thaw()

    async def _hinder(self, fault: Fault) -> None:
        links = self._installation.links[fault.target]
        for link in links:
            if fault.kind is FaultKind.SLOW:
                link.slow(fault.amount)
            else:
                link.cut(_CUTS[fault.kind])
        await asyncio.sleep(fault.seconds)
        for link in links:
            link.mend()

    async def _fill_disk(self, fault: Fault) -> None:
        part, disk = self._installation.parts[fault.target], self._installation.disks[fault.target]
        part.may_die = True
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(fault.seconds)
        disk.free()
        await asyncio.sleep(1)
        part.may_die = False

    async def _lock(self, fault: Fault) -> None:
        """Locks the table that every command writes to, as a migration or an operator may."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            async with self._installation.connection(fault.target) as connection, connection.transaction():
                table = _TABLE.get(fault.target, "work_orders")
                await connection.execute(f"lock table {table} in access exclusive mode", timeout=3)
                await asyncio.sleep(fault.seconds)
