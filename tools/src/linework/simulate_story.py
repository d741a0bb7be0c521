"""The life of a simulated order, with its agents, dispatchers, repair staff and auditors.

Each step is drawn from `CHOICES` with the order's own random generator, so that a seed gives the same lives however
fast the services are; only the outcome of concurrent cancellations depends on timing. Only concurrent commands may be
refused; any other refusal, and any response that does not follow from the one before, is recorded as impossible.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from contracts.lifecycle import STEPS, Act, Status
from linework.client import (
    SUPERVISOR,
    KeptAsFact,
    NotReached,
    Person,
    Refused,
    ServiceClients,
    WorkOrder,
    technician,
)

AGENTS = tuple(Person("agent", sub=f"agent-{number}") for number in (1, 2, 3))
DISPATCHERS = tuple(Person("dispatcher", sub=f"dispatcher-{number}") for number in (1, 2))
AUDITORS = tuple(Person("auditor", sub=f"auditor-{number}") for number in (1, 2))
REJECTIONS_BEFORE_SUPERVISOR = 2
MOST_ACTS = 60
_CLOSED = (Status.ARCHIVED, Status.CANCELLED)

CHOICES: Mapping[Status, Mapping[str, int]] = {
    Status.CREATED: {"dispatch": 82, "urge": 6, "cancel": 6, "extend": 3, "amend": 3},
    Status.DISPATCHED: {
        "start": 60,
        "arrive": 14,
        "reject": 14,
        "suspend": 4,
        "note": 2,
        "amend": 1,
        "urge": 2,
        "cancel": 2,
        "extend": 1,
    },
    Status.PROCESSING: {
        "complete": 58,
        "arrive": 16,
        "reject": 6,
        "suspend": 5,
        "note": 6,
        "amend": 1,
        "urge": 3,
        "cancel": 3,
        "extend": 2,
    },
    Status.REJECTED: {"send_to_redispatch": 92, "urge": 4, "cancel": 4},
    Status.REDISPATCHING: {"dispatch": 94, "urge": 3, "cancel": 3},
    Status.COMPLETED: {"submit_for_audit": 54, "archive": 39, "redispatch": 6, "amend": 1},
    Status.AUDITING: {"pass_audit": 85, "fail_audit": 15},
}
"""What people do with an order in each status, in percent."""

REQUESTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "urge": ("用户催促。", {}),
    "cancel": ("用户取消申请。", {}),
    "extend": ("等待备件，申请延期。", {"clock": "arrive", "minutes": 60}),
    "amend": (
        "用户补充情况，并要求改约。",
        {"content": "用户补充：仅卧室电视无信号。", "is_appointment_withdrawn": True},
    ),
}
"""Requests to custodians: reason and further fields."""

CANCELLED_MEANWHILE = 0.04
"""How often an agent asks to cancel an order while others are working on it."""

CONTENTS: Sequence[tuple[str, str]] = (
    ("fault_repair", "客厅电视无信号，重启机顶盒无效。"),
    ("fault_repair", "No picture on any channel since this morning."),
    ("complaint", "上门维修人员未按预约时间到达。"),
    ("business_acceptance", "申请新装宽带一条，希望周末上门。"),
    ("consultation", "Asks which channels the basic package has."),
    ("suggestion", "建议增加晚间维修时段。"),
    ("test", "测试"),
)
NAMES = ("张伟", "王芳", "李娜", "刘强", "陈静", "杨洋", "赵敏", "黄勇", "Anna Weber", "John Smith")
STREETS = ("人民路", "解放路", "中山路", "建设街", "和平巷")
TERRITORIES = ("north", "south", "east", "west")


@dataclass(slots=True)
class Notes:
    """What all stories observed."""

    acts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    impossible: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Response time of each act."""
    journal: Callable[[str, int, str], None] = lambda order_id, version, act: None
    """Called for each acknowledged change: order, version and act."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What all stories share."""

    city: ServiceClients
    notes: Notes
    staff: Mapping[str, Sequence[str]]
    """By work area."""
    answer_seconds: float = 60.0
    """How long a custodian may take to answer a request."""


class Story:
    def __init__(self, cast: Cast, number: int, seed: int) -> None:
        self._city = cast.city
        self._notes = cast.notes
        self._staff = cast.staff
        self._answer_seconds = cast.answer_seconds
        self._number = number
        self._random = Random(seed * 1_000_003 + number)
        self._meanwhile: list[asyncio.Task[Any]] = []
        self.order: WorkOrder | None = None

    async def run(self) -> None:
        """The whole life; afterwards `order` is its last known state."""
        try:
            self.order = await self._timed("create", self._create)
            self._note("create", self.order)
            if self._random.random() < CANCELLED_MEANWHILE:
                seconds = self._random.random() * 0.5
                self._meanwhile.append(asyncio.create_task(self._cancel_meanwhile(self.order.id, seconds)))
            for _ in range(MOST_ACTS):
                if self.order.status in _CLOSED:
                    break
                self.order = await self._live_on(self.order)
            for task in self._meanwhile:
                await task
            await self._look_back()
        except (Refused, NotReached) as error:
            self._impossible(str(error))

    async def _live_on(self, order: WorkOrder) -> WorkOrder:
        """The order after the drawn step, or its present state after a concurrent change."""
        act = self._draw(order)
        try:
            if act in REQUESTS:
                seen = {"seen_version": order.version} if act == "amend" else {}
                await self._ask(act, order.id, by=self._random.choice(AGENTS), **seen)
                return await self._look(order, at_least=order.version)
            changed = await self._timed(act, lambda: self._do(act, order))
        except KeptAsFact:
            return await self._look(order, at_least=order.version)
        except Refused as error:
            self._notes.refusals[error.code] += 1
            if (error.present_version or 0) <= order.version:
                raise  # without a concurrent change it should have been allowed
            return await self._look(order, at_least=error.present_version)
        self._check(act, order, changed)
        self._note(act, changed)
        return changed

    def _draw(self, order: WorkOrder) -> str:
        if order.suspension is not None:
            return "resume"
        choices = dict(CHOICES[order.status])
        if order.assignment is not None and order.assignment.is_binding:
            choices.pop("reject", None)
        return self._random.choices(list(choices), list(choices.values()))[0]

    async def _create(self) -> WorkOrder:
        draw = self._random
        number = 10001 + draw.randrange(40)
        territory = TERRITORIES[number % len(TERRITORIES)]
        intake, agent = self._city.intake, draw.choice(AGENTS)
        demand_type, content = draw.choice(CONTENTS)
        day = (datetime.now(UTC) + timedelta(days=draw.randrange(1, 6))).replace(hour=1, minute=0, second=0)
        window = {"start": day, "end": day + timedelta(hours=draw.choice((2, 4, 8)))} if draw.random() < 0.7 else None
        order: dict[str, Any] = {
            "subscriber_no": str(number),
            "device_type": draw.choice(("digital", "analogue", "broadband")),
            "demand_type": demand_type,
            "content": content,
            "channel": draw.choice(("phone", "phone", "phone", "web", "app", "walk_in")),
            "appointment": window,
        }
        try:
            await intake.create_subscriber(
                subscriber_no=str(number),
                name=NAMES[number % len(NAMES)],
                phones=[f"138{number:08d}"],
                address=f"{STREETS[number % len(STREETS)]}{number % 200 + 1}号",
                territory=territory,
                by=agent,
            )
        except Refused as error:
            if error.code != "subscriber_no_taken":
                raise
        return await intake.create_work_order(**order, by=agent)

    def _do(self, act: str, order: WorkOrder) -> Awaitable[WorkOrder]:
        city, draw = self._city, self._random
        if act == "dispatch":
            return self._dispatch(order)
        if act == "send_to_redispatch":
            return city.dispatch.send_to_redispatch(
                order, is_misdispatch_valid=draw.random() < 0.7, remark="误派属实，改派。", by=draw.choice(DISPATCHERS)
            )
        auditor = draw.choice(AUDITORS)
        if act == "submit_for_audit":
            return city.qa.submit_for_audit(order, by=auditor)
        if act in ("pass_audit", "fail_audit"):
            verdict = "passed" if act == "pass_audit" else "failed"
            return city.qa.audit(order, verdict=verdict, remark="回访核实。", by=auditor)
        if act == "redispatch":
            return city.qa.redispatch(order, reason="用户反映问题再次出现。", by=auditor)
        if act == "archive":
            return city.qa.archive(order, by=auditor)
        return self._work(act, order)

    def _dispatch(self, order: WorkOrder) -> Awaitable[WorkOrder]:
        draw = self._random
        rejected_by = {rejection.work_area_id for rejection in order.rejections}
        areas = [area for area in self._staff if area not in rejected_by]
        is_supervisors = not areas or len(order.rejections) >= REJECTIONS_BEFORE_SUPERVISOR
        area = draw.choice(areas or list(self._staff))
        staff = draw.sample(list(self._staff[area]), k=draw.randrange(1, min(2, len(self._staff[area])) + 1))
        return self._city.dispatch.dispatch(
            order,
            work_area_id=area,
            staff_ids=staff,
            remark="请尽快处理。" if draw.random() < 0.5 else None,
            is_binding=True if is_supervisors else None,
            by=SUPERVISOR if is_supervisors else draw.choice(DISPATCHERS),
        )

    def _work(self, act: str, order: WorkOrder) -> Awaitable[WorkOrder]:
        """A step of repair staff, by the first staff member to whom it was dispatched."""
        fieldwork, draw = self._city.fieldwork, self._random
        assert order.assignment is not None
        by = technician(order.assignment.work_area_id, sub=order.assignment.staff_ids[0])
        if act == "start":
            return fieldwork.start(order, by=by)
        if act == "arrive":
            return fieldwork.arrive(order, place="用户门口", by=by)
        if act == "reject":
            reason = draw.choice(("outside_area", "wrong_trade", "missing_information", "unreachable"))
            return fieldwork.reject(order, reason=reason, explanation="不属于本工区管辖范围。", by=by)
        if act == "suspend":
            until = datetime.now(UTC) + timedelta(days=1)
            return fieldwork.suspend(order, reason="等待备件。", until=until, by=by)
        if act == "resume":
            return fieldwork.resume(order, by=by)
        if act == "note":
            return fieldwork.add_note(order, note="已与用户电话联系。", by=by)
        return fieldwork.complete(
            order,
            handling="更换分配器，信号恢复正常。",
            is_resolved=draw.random() < 0.95,
            is_petitioned=draw.random() < 0.02,
            is_called_back=draw.random() < 0.5,
            by=by,
        )

    async def _ask(self, kind: str, order_id: str, *, by: Person, **seen: int) -> None:
        """Sends a request to the custodian and waits for its answer."""
        reason, more = REQUESTS[kind]
        intake, said = self._city.intake, {"reason": reason, **more, **seen}
        asked = await self._timed(f"ask to {kind}", lambda: intake.ask(kind, order_id, by=by, **said))
        give_up_at = time.monotonic() + self._answer_seconds
        while asked["state"] == "pending" and time.monotonic() < give_up_at:
            asked = await intake.request(asked["id"], wait_seconds=5)
        if asked["state"] == "pending":
            seconds = f"{self._answer_seconds:.0f} s"
            self._impossible(f"request {asked['id']} to {kind} order {order_id} was not answered in {seconds}")
        self._notes.acts[f"{kind} {asked['state']}"] += 1

    async def _cancel_meanwhile(self, order_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._ask("cancel", order_id, by=AGENTS[0])

    async def _look(self, order: WorkOrder, *, at_least: int | None) -> WorkOrder:
        return await self._city.intake.work_order(order.id, at_least=at_least)

    async def _look_back(self) -> None:
        """An acknowledged change must be visible."""
        assert self.order is not None
        present = await self._look(self.order, at_least=self.order.version)
        if present.version == self.order.version and present != self.order:
            self._impossible(f"order {present.order_no} is not what its last act was answered with")
        self.order = present

    async def _timed(self, act: str, do: Callable[[], Awaitable[Any]]) -> Any:
        began_at = time.monotonic()
        done = await do()
        self._notes.seconds.append(time.monotonic() - began_at)
        self._notes.acts[act] += 1
        return done

    def _check(self, act: str, before: WorkOrder, after: WorkOrder) -> None:
        expected = STEPS[before.status, Act(act)]
        # Others may have urged or extended it meanwhile, which no act minds.
        if (after.id, after.status) != (before.id, expected) or after.version <= before.version:
            self._impossible(
                f"{act} on version {before.version} of order {before.order_no} ({before.status.value}) "
                f"was answered with version {after.version}, {after.status.value}"
            )

    def _note(self, act: str, order: WorkOrder) -> None:
        self._notes.journal(order.id, order.version, act)

    def _impossible(self, what: str) -> None:
        self._notes.impossible.append(f"order {self._number}: {what}")
