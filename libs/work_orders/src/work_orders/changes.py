"""The changes of a service's orders as one live feed for all streams of a process.

One reader asks the database, when a batch was applied or else once a second, and only while somebody listens. It
keeps the latest batches for all listeners together, so that a slow one costs no memory: whoever has fallen behind
them reads from the database, from its own place.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from chassis.database import TRANSIENT, Database
from chassis.wakeup import Wakeup
from work_orders.change_store import RecordedChange, changes_since, newest_place
from work_orders.places import PlaceInChanges, PlaceLost

log = logging.getLogger(__name__)

_AT_LEAST_EVERY_SECONDS = 1.0
_AT_MOST_EVERY_SECONDS = 0.05
_KEPT_CHANGES = 20_000
_KEPT_BATCHES = 1_000

Areas = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class OrderChange:
    """A change of an order, as one caller receives it."""

    order_id: str
    version: int
    has_left: bool
    """It has gone to an area that the caller does not see."""


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """What became visible at once, with the places before and after it."""

    after: PlaceInChanges
    place: PlaceInChanges
    changes: Sequence[RecordedChange]
    _seen: dict[Areas, list[OrderChange]] = field(default_factory=dict)

    def seen_by(self, areas: Areas) -> list[OrderChange]:
        """Each order within these areas once, as the last of its changes left it."""
        # Callers of one area, and those of every area, receive the same.
        if areas not in self._seen:
            self._seen[areas] = _seen_by(areas, self.changes)
        return self._seen[areas]


def _seen_by(areas: Areas, changes: Sequence[RecordedChange]) -> list[OrderChange]:
    latest: dict[str, OrderChange] = {}
    for change in changes:
        is_within = areas is None or change.work_area_id in areas
        if not is_within and change.left_work_area_id not in (areas or ()):
            continue
        known = latest.get(change.order_id)
        # Of an order the versions tell what came last: numbers of transactions do not.
        if known is None or known.version <= change.version:
            latest.pop(change.order_id, None)
            latest[change.order_id] = OrderChange(change.order_id, change.version, has_left=not is_within)
    return [*latest.values()]


class ChangeFeed:
    def __init__(self, db: Database, wakeup: Wakeup, *, kept: timedelta) -> None:
        self._db = db
        self._wakeup = wakeup
        self._kept = kept
        self._listeners = 0
        self._reader: asyncio.Task[None] | None = None
        self._place: PlaceInChanges | None = None
        """None until the reader has begun."""
        self._batches: deque[ChangeBatch] = deque()
        self._by_place: dict[PlaceInChanges, ChangeBatch] = {}
        self._change_count = 0
        self._moved = asyncio.Event()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """The reader reads while at least one listener is in this block."""
        self._listeners += 1
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="changes")
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._reader.cancel()
                self._reader = None
                self._begin_at(None)

    async def present_place(self) -> PlaceInChanges:
        """The place from which the feed sends changes."""
        while self._place is None:
            await self._moved.wait()
        return self._place

    async def after(self, place: PlaceInChanges, seconds: float) -> ChangeBatch | None:
        """The next batch after this place; None where nothing comes for so long. Raises `PlaceLost`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while place == await self.present_place():
                    await self._moved.wait()
        if place == self._place or self._place is None:
            return None
        return self._by_place.get(place) or await self._caught_up(place)

    async def _caught_up(self, place: PlaceInChanges) -> ChangeBatch:
        """What the feed has seen and this place has not, so that its next batch follows."""
        present = await self.present_place()
        if not place.newest:
            raise PlaceLost()
        changes, _ = await changes_since(self._db, place, kept=self._kept)
        return ChangeBatch(place, present, [change for change in changes if present.sees(change.changed_in)])

    async def _read(self) -> None:
        while True:
            since = self._wakeup.mark()
            try:
                await self._read_on()
            except PlaceLost:
                # Too much came at once, or the database was restored: every listener starts again.
                self._begin_at(None)
                continue
            except (TimeoutError, *TRANSIENT) as error:
                log.warning("changes are not read, retrying: %s", type(error).__name__)
            except Exception:
                log.exception("changes are not read, retrying")
            await asyncio.sleep(_AT_MOST_EVERY_SECONDS)
            await self._wakeup.wait(_AT_LEAST_EVERY_SECONDS, since)

    async def _read_on(self) -> None:
        if self._place is None:
            self._begin_at(await newest_place(self._db))
            return
        changes, place = await changes_since(self._db, self._place)
        if changes:
            self._keep(ChangeBatch(self._place, place, changes))
            self._place = place
            self._tell()

    def _keep(self, batch: ChangeBatch) -> None:
        self._batches.append(batch)
        self._by_place[batch.after] = batch
        self._change_count += len(batch.changes)
        while self._change_count > _KEPT_CHANGES or len(self._batches) > _KEPT_BATCHES:
            oldest = self._batches.popleft()
            del self._by_place[oldest.after]
            self._change_count -= len(oldest.changes)

    def _begin_at(self, place: PlaceInChanges | None) -> None:
        self._batches.clear()
        self._by_place.clear()
        self._change_count = 0
        self._place = place
        self._tell()

    def _tell(self) -> None:
        # Wakes the present waiters; later ones wait for the next batch.
        self._moved.set()
        self._moved = asyncio.Event()
