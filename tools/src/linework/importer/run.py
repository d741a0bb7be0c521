"""Executes plans through the public APIs, concurrently.

The next step of an order follows from its status and from no local record: a killed import resumes where it stopped,
and a repeated import has nothing to do.

An order that was just handed over goes to the end of the queue, so that the next custodian has usually received it
before its turn, and no request has to wait.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from contracts.lifecycle import Act, Status
from contracts.order import WorkOrder
from linework.client import Patience, Refused, ServiceClients, technician
from linework.importer.plan import DEVICE_NAMES, DEVICE_TYPE, Fate, Plan, RowRefused, plan_of
from linework.importer.report import ImportReport, RefusedRow
from linework.importer.rows import Row

PATIENCE = Patience(seconds=60, for_handover=True)
_IN_LINE_PER_CLIENT = 8
_MOST_DETOURS = 5

NEXT_ACTS: Mapping[Fate, Mapping[Status, Act]] = {
    Fate.OPEN: {},
    Fate.CLOSED: {
        Status.CREATED: Act.DISPATCH,
        Status.DISPATCHED: Act.START,
        Status.PROCESSING: Act.COMPLETE,
        Status.COMPLETED: Act.ARCHIVE,
    },
    Fate.CANCELLED: {Status.CREATED: Act.CANCEL},
    Fate.REFERRED_OUT: {Status.CREATED: Act.DISPATCH, Status.DISPATCHED: Act.REJECT},
}
ENDS: Mapping[Fate, Status | None] = {
    Fate.OPEN: None,
    Fate.CLOSED: Status.ARCHIVED,
    Fate.CANCELLED: Status.CANCELLED,
    Fate.REFERRED_OUT: Status.REJECTED,
}
SHARES: Mapping[Act, float] = {Act.DISPATCH: 1 / 3, Act.START: 2 / 3}
"""When an act was done, as a share of the order's life; default: at its end."""


def next_act(fate: Fate, status: Status) -> Act | None:
    """The next act; None once the outcome is reached. Raises `RowRefused` if it cannot be reached any more."""
    act = NEXT_ACTS[fate].get(status)
    if act is None and ENDS[fate] not in (None, status):
        raise RowRefused(f"the order is {status.value}, from which a request that is {fate.value} cannot continue")
    return act


@dataclass(slots=True)
class Job:
    """One row on its way."""

    plan: Plan
    order: WorkOrder | None = None
    is_new: bool = False
    detours: int = 0
    """How often the order had another status than expected."""


class Importer:
    def __init__(self, installation: ServiceClients, report: ImportReport, *, is_played: bool, clients: int) -> None:
        self.report = report
        self._installation = installation
        self._is_played = is_played
        self._clients = clients
        # Keys are of this run: a creation that an earlier run made is to be found, not answered as new.
        self._run = uuid.uuid4().hex[:12]
        self._made: dict[Any, asyncio.Future[Any]] = {}
        self._lines: dict[str, int] = {}

    async def play(self, rows: Iterable[Row], on_done: Callable[[], None]) -> None:
        """Brings every row to its end; calls `on_done` for each."""
        began_at = time.monotonic()
        try:
            await self._note_what_is_there()
            await self._play(self._jobs(rows, on_done), on_done)
        finally:
            self.report.seconds = time.monotonic() - began_at

    async def _play(self, jobs: Iterator[Job], on_done: Callable[[], None]) -> None:
        line: asyncio.Queue[Job | None] = asyncio.Queue()
        open_count = 0
        for job in islice(jobs, self._clients * _IN_LINE_PER_CLIENT):
            line.put_nowait(job)
            open_count += 1

        async def client() -> None:
            nonlocal open_count
            while open_count and (job := await line.get()) is not None:
                if await self._advance_or_close(job):
                    line.put_nowait(job)
                    continue
                on_done()
                following = next(jobs, None)
                if following is not None:
                    line.put_nowait(following)
                    continue
                open_count -= 1
                if open_count == 0:
                    for _ in range(self._clients):
                        line.put_nowait(None)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._clients):
                group.create_task(client())

    def _jobs(self, rows: Iterable[Row], on_done: Callable[[], None]) -> Iterator[Job]:
        """The rows that can be executed; the others are refused or counted here."""
        for row in rows:
            try:
                plan = plan_of(row)
            except RowRefused as reason:
                self._refuse(row.line, row["SRNumber"], str(reason))
                on_done()
                continue
            first = self._lines.setdefault(plan.reference, plan.line)
            if first != plan.line:
                self.report.already_there += 1
                self.report.remark(plan.line, (f"repeat the SRNumber of line {first}",))
                on_done()
                continue
            yield Job(plan)

    async def _advance_or_close(self, job: Job) -> bool:
        """One step; False if it was the last."""
        try:
            if await self._advance(job):
                return True
        except RowRefused as reason:
            self._refuse(job.plan.line, job.plan.reference, str(reason))
            return False
        except Refused as error:
            self._refuse(job.plan.line, job.plan.reference, _reason(error, job))
            return False
        assert job.order is not None
        if job.is_new:
            self.report.created += 1
        else:
            self.report.already_there += 1
        self.report.fates[job.order.status.value] += 1
        self.report.remark(job.plan.line, tuple(job.plan.remarks))
        return False

    def _refuse(self, line: int, reference: str, reason: str) -> None:
        self.report.refused.append(RefusedRow(line, reference, reason))

    async def _advance(self, job: Job) -> bool:
        if job.order is None:
            job.order = await self._create(job)
        else:
            act = next_act(job.plan.fate, job.order.status)
            if act is not None:
                job.order = await self._act_or_look(job, job.order, act)
        return self._is_played and next_act(job.plan.fate, job.order.status) is not None

    async def _create(self, job: Job) -> WorkOrder:
        plan = job.plan
        await self._once(("demand", plan.demand_type), lambda: self._define_demand_type(plan))
        await self._once(("device", DEVICE_TYPE), self._define_device_type)
        await self._once(("subscriber", plan.subscriber["subscriber_no"]), lambda: self._create_subscriber(plan))
        intake = self._installation.intake
        try:
            order = await intake.create_work_order(**plan.order, key=self._key(plan, "create"))
        except Refused as error:
            # Without an id the order is of a work area that the token does not reach.
            if error.code != "external_reference_taken" or error.problem.get("order_id") is None:
                raise
            return await intake.work_order(error.problem["order_id"])
        job.is_new = True
        self.report.act_count += 1
        return order

    async def _act_or_look(self, job: Job, order: WorkOrder, act: Act) -> WorkOrder:
        """The order after the act, or its present state after a concurrent change."""
        try:
            changed = await self._act(job.plan, order, act)
        except Refused as error:
            present = error.present_version
            if present is None or present <= order.version or job.detours >= _MOST_DETOURS:
                raise
            job.detours += 1
            return await self._installation.intake.work_order(order.id, at_least=present)
        self.report.act_count += 1
        return changed

    async def _act(self, plan: Plan, order: WorkOrder, act: Act) -> WorkOrder:
        # Another client may have acted later than the plan has it; time never goes back within an order.
        at = max(plan.at(SHARES.get(act, 1.0)), order.changed.at)
        given: dict[str, Any] = {"occurred_at": at, "key": self._key(plan, f"{act.value}-{order.version}")}
        city = self._installation
        if act is Act.DISPATCH:
            await self._once(("area", plan.work_area_id), lambda: self._define_work_area(plan))
            return await city.dispatch.dispatch(
                order, work_area_id=plan.work_area_id, staff_ids=[plan.staff_id], **given
            )
        if act is Act.CANCEL:
            return await self._cancel(plan, order, given)
        if act is Act.ARCHIVE:
            return await city.qa.archive(order, **given)
        given["by"] = technician(order.work_area_id or plan.work_area_id)
        if act is Act.START:
            return await city.fieldwork.start(order, **given)
        if act is Act.REJECT:
            return await city.fieldwork.reject(
                order, reason="outside_area", explanation="Referred out: another authority is responsible.", **given
            )
        return await city.fieldwork.complete(order, handling="Done, as the city's record says.", **given)

    async def _cancel(self, plan: Plan, order: WorkOrder, given: dict[str, Any]) -> WorkOrder:
        intake = self._installation.intake
        asked = await intake.ask("cancel", order.id, reason="Cancelled, as the city's record says.", **given)
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + PATIENCE.seconds
        while asked["state"] == "pending":
            if loop.time() > give_up_at:
                raise RowRefused("the request to cancel the order was not answered")
            asked = await intake.request(asked["id"], wait_seconds=5)
        present = await intake.work_order(order.id, at_least=order.version + 1)
        if present.status is not Status.CANCELLED:
            raise RowRefused(f"the request to cancel the order was {asked['state']}; it is {present.status.value}")
        return present

    async def _note_what_is_there(self) -> None:
        """Existing definitions are not defined again, which would change them."""
        city = self._installation
        known = [("area", area["work_area_id"]) for area in await city.dispatch.work_areas() if area["staff"]]
        for kind in ("device", "demand"):
            known += [(kind, item["code"]) for item in await city.intake.types(kind)]
        for one in known:
            self._made[one] = asyncio.get_running_loop().create_future()
            self._made[one].set_result(None)

    async def _once(self, what: Any, make: Callable[[], Awaitable[None]]) -> None:
        """Makes it once; concurrent callers wait for it."""
        known = self._made.get(what)
        if known is None:
            known = self._made[what] = asyncio.ensure_future(make())
            known.add_done_callback(lambda done: self._forget_failed(what, done))
        await known

    def _forget_failed(self, what: Any, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._made.pop(what, None)

    async def _create_subscriber(self, plan: Plan) -> None:
        number = plan.subscriber["subscriber_no"]
        try:
            await self._installation.intake.create_subscriber(**plan.subscriber, key=f"{self._run}-{number}")
        except Refused as error:
            if error.code != "subscriber_no_taken":
                raise

    async def _define_demand_type(self, plan: Plan) -> None:
        en, zh = plan.demand_names
        await self._installation.intake.define_type("demand", plan.demand_type, en=en, zh=zh)

    async def _define_device_type(self) -> None:
        en, zh = DEVICE_NAMES
        await self._installation.intake.define_type("device", DEVICE_TYPE, en=en, zh=zh)

    async def _define_work_area(self, plan: Plan) -> None:
        en, zh = plan.work_area_names
        dispatch = self._installation.dispatch
        await dispatch.define_work_area(plan.work_area_id, en=en, zh=zh)
        await dispatch.define_staff(plan.staff_id, name=f"{en} crew", work_area_id=plan.work_area_id)

    def _key(self, plan: Plan, act: str) -> str:
        return f"{self._run}-{plan.line}-{act}"


def _reason(error: Refused, job: Job) -> str:
    where = "" if job.order is None else f"order {job.order.order_no} is left {job.order.status.value}: "
    faults = [f"{item.get('pointer')} {item.get('wrong')}" for item in error.problem.get("errors", [])]
    return f"{where}{error.code}: {error.problem.get('detail', error.status)} {'; '.join(faults)}".rstrip()
