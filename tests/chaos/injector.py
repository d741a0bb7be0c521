"""Makes the faults of a plan happen, and undoes each when its time is over."""

import asyncio
import contextlib
import time

import asyncpg
from tests.chaos.faults import Fault, Kind, Targets
from tests.chaos.links import State
from tests.chaos.system import System

_CUTS = {Kind.CUT: State.SILENT, Kind.REFUSE: State.REFUSED, Kind.LOSE: State.LOST}
_TABLE = {"reporting": "stream_state"}


class Injector:
    def __init__(self, system: System) -> None:
        self._system = system
        self._began_at = time.monotonic()
        self.timeline: list[str] = []
        system.say = self.say

    @property
    def targets(self) -> Targets:
        system = self._system
        return Targets(
            processes=[process.name for process in system.processes if process.name != "issuer"],
            brokers=system.brokers if len(system.brokers) > 1 else (),
            links=list(system.links),
            disks=[name for name in system.disks if name == "postgres" or len(system.brokers) > 1],
            databases=system.services,
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
            case Kind.KILL | Kind.KILL_POSTGRES | Kind.KILL_BROKER:
                self._system.parts[fault.target].kill(back_after=fault.seconds)
                await asyncio.sleep(fault.seconds)
            case Kind.STOP | Kind.STOP_POSTGRES | Kind.STOP_BROKER:
                await self._stop(fault)
            case Kind.CUT | Kind.REFUSE | Kind.LOSE | Kind.SLOW:
                await self._hinder(fault)
            case Kind.CLOCK:
                process = self._system.process(fault.target)
                process.set_clock(fault.amount)
                await asyncio.sleep(fault.seconds)
                process.set_clock(0)
            case Kind.DISK_FULL:
                await self._fill_disk(fault)
            case Kind.LOCK:
                await self._lock(fault)

    async def _stop(self, fault: Fault) -> None:
        part = self._system.parts[fault.target]
        if part.is_up:
            part.freeze()
            await asyncio.sleep(fault.seconds)
            part.thaw()

    async def _hinder(self, fault: Fault) -> None:
        links = self._system.links[fault.target]
        for link in links:
            if fault.kind is Kind.SLOW:
                link.slow(fault.amount)
            else:
                link.cut(_CUTS[fault.kind])
        await asyncio.sleep(fault.seconds)
        for link in links:
            link.mend()

    async def _fill_disk(self, fault: Fault) -> None:
        part, disk = self._system.parts[fault.target], self._system.disks[fault.target]
        part.may_die = True
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(fault.seconds)
        disk.free()
        await asyncio.sleep(1)
        part.may_die = False

    async def _lock(self, fault: Fault) -> None:
        """Somebody holds the table that everything here writes to, as a migration or an operator may."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            connection = await asyncpg.connect(self._system.database_urls[fault.target], timeout=3)
            try:
                async with connection.transaction():
                    table = _TABLE.get(fault.target, "work_orders")
                    await connection.execute(f"lock table {table} in access exclusive mode", timeout=3)
                    await asyncio.sleep(fault.seconds)
            finally:
                connection.terminate()
