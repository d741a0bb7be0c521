"""Waits until all events are processed, according to the metrics of the processes."""

import asyncio
from dataclasses import dataclass

from linework.client import NotReached, ServiceClients
from linework.client_service import ServiceClient
from linework.metrics_text import read_samples, totals

_LOOK_EVERY_SECONDS = 0.5
_QUIET_LOOKS = 2


@dataclass(frozen=True, slots=True)
class Restless:
    """Why a service is still working."""

    service: str
    reason: str


class Observer:
    """Reads the outboxes and the lag of every service."""

    def __init__(self, city: ServiceClients) -> None:
        self._city = city
        self._workers = {
            name: ServiceClient(url, city.services[name].http, city.tokens)
            for name, url in city.addresses.workers.items()
        }

    async def wait(self, seconds: float) -> list[Restless]:
        """Empty once two checks in a row found nothing in flight; else what is still in flight after this time."""
        loop = asyncio.get_running_loop()
        give_up_at, quiet_looks = loop.time() + seconds, 0
        while True:
            restless = await self._look()
            quiet_looks = 0 if restless else quiet_looks + 1
            if quiet_looks == _QUIET_LOOKS or (restless and loop.time() >= give_up_at):
                return restless
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _look(self) -> list[Restless]:
        found = await asyncio.gather(*(self._look_at(name) for name in self._city.services))
        return [restless for one in found for restless in one]

    async def _look_at(self, name: str) -> list[Restless]:
        try:
            values = totals(read_samples(await self._city.services[name].metrics()))
            worker = self._workers.get(name)
            if worker is not None:
                await worker.ping()  # a readiness check measures the lag
                values |= totals(read_samples(await worker.metrics()))
        except NotReached as error:
            return [Restless(name, str(error))]
        restless = []
        if values.get("linework_outbox_rows"):
            restless.append(Restless(name, f"its outbox has {values['linework_outbox_rows']:.0f} rows"))
        if values.get("linework_consumer_lag_records"):
            restless.append(Restless(name, f"it is {values['linework_consumer_lag_records']:.0f} records behind"))
        return restless


class Waiting:
    """The total seconds that a check may wait, shared by all its steps."""

    def __init__(self, observer: Observer, seconds: float) -> None:
        self._observer = observer
        self._left_seconds = seconds
        self.seconds = seconds

    async def until_quiet(self, at_most: float | None = None) -> list[Restless]:
        """What is still in flight after at most this much of the remaining time."""
        seconds = self._left_seconds if at_most is None else min(at_most, self._left_seconds)
        began_at = asyncio.get_running_loop().time()
        try:
            return await self._observer.wait(seconds)
        finally:
            self._left_seconds = max(0.0, self._left_seconds - (asyncio.get_running_loop().time() - began_at))

    async def pause(self) -> bool:
        """A short pause before another attempt; false if no time is left."""
        if self._left_seconds <= 0:
            return False
        self._left_seconds -= _LOOK_EVERY_SECONDS
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        return True
