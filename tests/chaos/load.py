"""The load: the simulated stories of every role, told while everything breaks, by clients that insist."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.chaos.history import History

from linework.client import Patience, ServiceClients
from linework.client_addresses import Addresses
from linework.reference import load_reference_data
from linework.reference_data import WORK_AREAS
from linework.simulate_story import Cast, Notes, Story

INSIST_SECONDS = 180.0
_SLOW_ANSWER = "was not answered within a minute"
"""What a story calls impossible on a usual day, and not on this one: every answer is counted later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    stories: int
    acts: int
    retries: int
    impossible: list[str]


class Load:
    def __init__(self, client: ServiceClients, cast: Cast, seed: int) -> None:
        self._client = client
        self._cast = cast
        self._seed = seed
        self._telling: list[asyncio.Task[None]] = []

    async def run(self, seconds: float, rate: float) -> None:
        """Begins so many stories a second for so long."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        for number in range(1, int(seconds * rate) + 1):
            await asyncio.sleep(max(0.0, began_at + (number - 1) / rate - loop.time()))
            story = Story(self._cast, number, self._seed)
            self._telling.append(asyncio.create_task(story.run(), name=f"story {number}"))

    async def finish(self) -> Outcome:
        """Waits until every story has come to its end."""
        await asyncio.gather(*self._telling)
        notes = self._cast.notes
        return Outcome(
            stories=len(self._telling),
            acts=sum(notes.acts.values()),
            retries=sum(service.retry_count for service in self._client.services.values()),
            impossible=[line for line in notes.impossible if _SLOW_ANSWER not in line],
        )


@contextlib.asynccontextmanager
async def opened_load(addresses: Addresses, history: History, seed: int) -> AsyncIterator[Load]:
    """Clients in every role; what they ask is noted, from the first story on."""
    patience = Patience(seconds=INSIST_SECONDS, for_handover=True)
    async with ServiceClients(addresses, patience=patience) as client:
        await load_reference_data(client)
        staff = {
            area["work_area_id"]: [member["staff_id"] for member in area["staff"]]
            for area in await client.dispatch.work_areas()
            if area["work_area_id"] in WORK_AREAS
        }
        history.watch(client, seed)
        yield Load(client, Cast(client, Notes(), staff), seed)
