"""Follow-ups: planned from the stream, one call for one thing, within hours and quotas, to findings and orders."""

import asyncio
import itertools
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from services.qa.tests.centre import NAMES, Person, agent, supervisor

from chassis.testing import FixedClock
from contracts import events as e
from contracts.codec import new_message
from contracts.lifecycle import Service, Status
from contracts.links import LinkKind, WorkOrderLinked, WorkOrderUnlinked
from contracts.message import Actor, Message
from contracts.quality import (
    FindingClosed,
    FindingOpened,
    FollowUpAttempted,
    FollowUpEnd,
    FollowUpEnded,
    FollowUpJoined,
    FollowUpPlanned,
    SatisfactionGiven,
)
from work_orders.testing import BEGIN, ServiceUnderTest, Stream, make_completed, make_created, make_dispatched

QUESTIONS = [
    {"question": "content", "names": NAMES, "kind": "scale", "highest": 5, "is_satisfaction": True}
    | {"opens": "dissatisfaction", "opens_up_to": 2},
    {
        "question": "repaired",
        "names": NAMES,
        "kind": "yes_no",
        "choices": [{"choice": "no", "names": NAMES, "opens": "risk"}],
    },
    {"question": "wish", "names": NAMES, "kind": "text", "is_required": False},
]
HAPPY = [{"question": "content", "scale": 5}, {"question": "repaired", "choice": "yes"}]
UNHAPPY = [{"question": "content", "scale": 1}, {"question": "repaired", "choice": "no"}]


def project_body(**overrides: Any) -> dict[str, Any]:
    values = {
        "name": "装机回访",
        "start": (BEGIN - timedelta(days=30)).isoformat(),
        "end": (BEGIN + timedelta(days=365)).isoformat(),
        "cause": "completion",
        "questionnaire": "visit:1",
        "calendar": "cn",
        "calls_from": "08:30",
        "calls_until": "20:30",
    }
    return values | overrides


async def _project(qa: ServiceUnderTest, project_id: str = "p-1", **overrides: Any) -> dict[str, Any]:
    if not await qa.rows("select from calendars"):
        # 2026-03-02 is a Monday; Tuesday is a holiday, Saturday is worked.
        calendar = {"holidays": ["2026-03-03"], "make_up_days": ["2026-03-07"]}
        await supervisor(qa).put("/calendars/cn", calendar)
        await supervisor(qa).post("/questionnaires/visit/versions", {"names": NAMES, "questions": QUESTIONS})
    return await supervisor(qa).put(f"/follow-up-projects/{project_id}", project_body(**overrides))


def completed(order_id: str, *, subscriber_no: str = "111", demand_type: str = "fault_repair", area: str = "north"):
    stream = Stream(order_id)
    stream.add(make_created(subscriber_no=subscriber_no, demand_type=demand_type, order_no=f"no-{order_id}"))
    stream.add(make_dispatched(work_area_id=area, staff_ids=(f"{area}-1",)))
    stream.add(e.WorkOrderStarted())
    stream.add(make_completed())
    return stream


def told(order_id: str, body: Any) -> Message:
    """A link as intake tells it on the order's stream."""
    actor = Actor("agent-1", "agent")
    return new_message(
        body, service=Service.INTAKE, subject=order_id, actor=actor, occurred_at=BEGIN, recorded_at=BEGIN
    )


def same_outage(order_id: str, outage_id: str = "outage-1") -> Message:
    link = WorkOrderLinked(link_id=f"link-{order_id}-{outage_id}", kind=LinkKind.SAME_OUTAGE, outage_id=outage_id)
    return told(order_id, link)


async def _all(qa: ServiceUnderTest, **query: Any) -> list[dict[str, Any]]:
    return (await supervisor(qa).get("/follow-ups", **query))["items"]


async def _active(qa: ServiceUnderTest) -> list[dict[str, Any]]:
    return [one for one in await _all(qa) if one["end"] != "withdrawn"]


async def _published(qa: ServiceUnderTest, shape: type) -> list[Any]:
    return [one.body for one in await qa.sent() if isinstance(one.body, shape)]


async def _taken(qa: ServiceUnderTest, clock: FixedClock, **overrides: Any) -> dict[str, Any]:
    await _project(qa, **overrides)
    await qa.receive(*completed("o-1").messages)
    clock.advance(hours=1)  # five in the afternoon in Shanghai
    return await agent(qa).post("/follow-up-projects/p-1/take")


async def test_a_completed_order_is_followed_up_by_a_deadline_in_working_days(qa: ServiceUnderTest) -> None:
    await _project(qa, deadline_days=3)
    await qa.receive(*completed("o-1").messages)
    (one,) = await _all(qa)
    # Completed on Monday; Tuesday is a holiday: Wednesday, Thursday, Friday; until the end of Friday in Shanghai.
    assert one["due_by"] == "2026-03-06T16:00:00Z"
    assert (one["order_ids"], one["subscriber_no"], one["questionnaire"]) == (["o-1"], "111", "visit:1")
    (message,) = [one for one in await qa.sent() if isinstance(one.body, FollowUpPlanned)]
    assert (message.subject, message.body.work_area_id) == ("o-1", "north")


async def test_what_no_project_wants_is_not_followed_up(qa: ServiceUnderTest) -> None:
    await _project(qa, demand_types=["complaint"], work_area_ids=["north"])
    await qa.receive(*completed("o-1").messages, *completed("o-2", demand_type="complaint", area="south").messages)
    await qa.receive(*Stream("o-3").until(Status.PROCESSING).messages)
    assert await _all(qa) == []


async def test_an_order_is_followed_up_once_whatever_is_repeated(qa: ServiceUnderTest) -> None:
    await _project(qa)
    await _project(qa, "p-2", cause="complaint", demand_types=["fault_repair"])
    stream = completed("o-1")
    await qa.receive(*stream.messages)
    await qa.receive(*stream.messages)
    await qa.receive(stream.messages[-1])
    (one,) = await _all(qa)
    assert one["project_id"] == "p-2"
    assert len(await _published(qa, FollowUpPlanned)) == 1


async def test_ten_orders_of_one_outage_make_one_call(qa: ServiceUnderTest) -> None:
    await _project(qa)
    for number in range(10):
        stream, link = completed(f"o-{number}", subscriber_no=str(number)), same_outage(f"o-{number}")
        if number % 2:
            await qa.receive(stream.messages[0], link, *stream.messages[1:])
        else:
            await qa.receive(*stream.messages)
            await qa.receive(link)
    (one,) = await _active(qa)
    assert sorted(one["order_ids"]) == [f"o-{number}" for number in range(10)]
    assert len(await _published(qa, FollowUpJoined)) == 9


async def test_where_the_project_says_so_each_subscriber_of_an_outage_is_called(qa: ServiceUnderTest) -> None:
    await _project(qa, one_call_per="subscriber")
    for number in range(6):
        await qa.receive(same_outage(f"o-{number}"))
        await qa.receive(*completed(f"o-{number}", subscriber_no=str(number % 2)).messages)
    assert sorted(len(one["order_ids"]) for one in await _active(qa)) == [3, 3]


async def test_an_undone_link_gives_the_order_its_own_call_again(qa: ServiceUnderTest) -> None:
    await _project(qa)
    for name in ("o-1", "o-2"):
        await qa.receive(same_outage(name), *completed(name).messages)
    undone = told("o-2", WorkOrderUnlinked(link_id="link-o-2-outage-1"))
    await qa.receive(undone, undone)
    assert sorted(one["order_ids"] for one in await _active(qa)) == [["o-1"], ["o-2"]]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
async def test_links_in_any_order_end_in_the_same_calls(qa: ServiceUnderTest, order: tuple[int, ...]) -> None:
    await _project(qa)
    links = [same_outage("o-1"), same_outage("o-2"), told("o-1", WorkOrderUnlinked(link_id="link-o-1-outage-1"))]
    batches = [*([link] for link in links), [*completed("o-1").messages, *completed("o-2").messages]]
    for place in order:
        await qa.receive(*batches[place])
    assert sorted((one["order_ids"], one["outage_id"]) for one in await _active(qa)) == [
        (["o-1"], None),
        (["o-2"], "outage-1"),
    ]


async def test_work_that_goes_on_withdraws_the_call_and_a_second_completion_plans_it_again(
    qa: ServiceUnderTest,
) -> None:
    await _project(qa)
    stream = completed("o-1")
    await qa.receive(*stream.messages)
    stream.add(e.WorkOrderRedispatchRequested(reason="仍有故障"))
    await qa.receive(stream.messages[-1])
    assert await _active(qa) == []
    assert [one.end for one in await _published(qa, FollowUpEnded)] == [FollowUpEnd.WITHDRAWN]
    await qa.receive(stream.messages[3])  # the completion, delivered again
    assert await _active(qa) == []
    for event in (make_dispatched(), e.WorkOrderStarted(), make_completed()):
        await qa.receive(stream.add(event))
    (one,) = await _active(qa)
    assert one["state"] == "waiting"


async def test_a_list_is_called_once_for_each_subscriber(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _project(qa, cause="lost_subscriber")
    path = "/follow-up-projects/p-1/subscribers"
    assert (await supervisor(qa).post(path, {"subscriber_nos": ["1", "2", "1"]}))["planned_count"] == 2
    again = await supervisor(qa).post(path, {"subscriber_nos": ["2", "3"]})
    assert (again["planned_count"], again["known_count"]) == (1, 1)
    assert sorted(one["subscriber_no"] for one in await _all(qa)) == ["1", "2", "3"]
    await _project(qa, "p-2")
    refused = await supervisor(qa).refused("POST", "/follow-up-projects/p-2/subscribers", {"subscriber_nos": ["1"]})
    assert refused == (409, "project_follows_orders")


async def test_quotas_hold_even_for_those_who_take_at_once(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _project(qa, quotas={"per_day": 3, "per_month": 4, "per_manager_month": 2})
    for number in range(9):
        await qa.receive(*completed(f"o-{number}").messages)
    clock.advance(days=8)

    async def take(sub: str) -> int:
        return (await agent(qa, sub).ask("POST", "/follow-up-projects/p-1/take", {})).status_code

    assert sorted(await asyncio.gather(*(take("a") for _ in range(4)))) == [200, 200, 409, 409]
    assert sorted(await asyncio.gather(*(take("b") for _ in range(3)))) == [200, 409, 409]
    clock.advance(days=1)
    assert [await take(sub) for sub in ("a", "b", "c")] == [409, 200, 409]
    clock.advance(days=30)
    assert await take("a") == 200


async def test_nobody_is_called_in_quiet_hours(qa: ServiceUnderTest, clock: FixedClock) -> None:
    taken = await _taken(qa, clock)
    clock.moment = clock.moment.replace(hour=12, minute=30)
    refused = await agent(qa).refused("POST", f"/follow-ups/{taken['id']}/attempts", {"outcome": "busy"}, version=2)
    assert refused == (409, "quiet_hours")


async def test_attempts_come_back_later_and_the_last_one_ends_it(qa: ServiceUnderTest, clock: FixedClock) -> None:
    one = await _taken(qa, clock, max_attempts=2, retry_after_minutes=60)
    path = f"/follow-ups/{one['id']}/attempts"
    tried = await agent(qa).post(path, {"outcome": "no_answer"}, version=2)
    assert (tried["state"], tried["holder"]) == ("waiting", None)
    take = "/follow-up-projects/p-1/take"
    assert await agent(qa).refused("POST", take) == (404, "nothing_to_call")
    clock.advance(minutes=60)
    again = await agent(qa, "agent-2").post(take)
    ended = await agent(qa, "agent-2").post(path, {"outcome": "switched_off"}, version=again["version"])
    assert (ended["state"], ended["end"], len(ended["attempts"])) == ("ended", "unreachable", 2)
    assert [one.attempt for one in await _published(qa, FollowUpAttempted)] == [1, 2]
    assert [(one.end, one.attempt_count) for one in await _published(qa, FollowUpEnded)] == [("unreachable", 2)]


async def test_an_answered_questionnaire_says_how_content_they_are_and_opens_findings(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    one = await _taken(qa, clock)
    body = {"subscriber_no": "111", "replies": UNHAPPY, "note": "要求重修"}
    done = await agent(qa).post(f"/follow-ups/{one['id']}/complete", body, version=2, key="k-1")
    assert (done["end"], done["satisfaction"]) == ("completed", 1)
    assert await agent(qa).post(f"/follow-ups/{one['id']}/complete", body, version=2, key="k-1") == done
    assert [(one.score, one.highest) for one in await _published(qa, SatisfactionGiven)] == [(1, 5)]
    assert [one.kind for one in await _published(qa, FindingOpened)] == ["dissatisfaction", "risk"]
    assert len((await supervisor(qa).get("/findings", state="open"))["items"]) == 2
    assert "要求重修" not in str(
        [message.data.decode() for message in await qa.sent() if message.type.startswith("linework.quality")]
    )


@pytest.mark.parametrize(
    ("subscriber_no", "replies", "code"),
    [
        ("222", HAPPY, "answered_for_somebody_else"),
        ("111", HAPPY[:1], "replies_do_not_fit"),
        ("111", [*HAPPY, {"question": "wish", "text": "\u0000"}], "invalid_request"),
    ],
)
async def test_replies_that_are_not_theirs_or_do_not_fit_are_refused(
    qa: ServiceUnderTest, clock: FixedClock, subscriber_no: str, replies: list, code: str
) -> None:
    one = await _taken(qa, clock)
    body = {"subscriber_no": subscriber_no, "replies": replies}
    assert await agent(qa).refused("POST", f"/follow-ups/{one['id']}/complete", body, version=2) == (422, code)
    assert await _published(qa, FollowUpEnded) == []


async def test_only_whoever_has_taken_it_calls_and_others_do_not_see_it(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    one = await _taken(qa, clock)
    path, body = f"/follow-ups/{one['id']}/complete", {"subscriber_no": "111", "replies": HAPPY}
    assert await supervisor(qa).refused("POST", path, body, version=2) == (403, "not_your_follow_up")
    assert (await agent(qa, "agent-2").get("/follow-ups"))["items"] == []
    assert (await agent(qa, "agent-2").refused("GET", f"/follow-ups/{one['id']}"))[0] == 404
    assert [item["id"] for item in (await agent(qa).get("/follow-ups"))["items"]] == [one["id"]]
    released = await supervisor(qa).post(f"/follow-ups/{one['id']}/release", version=2)
    assert await agent(qa).refused("POST", path, body, version=3) == (409, "follow_up_not_taken")
    assert released["taken_at"] == one["taken_at"]


async def test_areas_in_the_token_narrow_what_is_seen_and_taken(qa: ServiceUnderTest, clock: FixedClock) -> None:
    one = await _taken(qa, clock)
    south = Person(qa, "supervisor", areas=["south"])
    assert (await south.get("/follow-ups"))["items"] == []
    assert await south.refused("POST", "/follow-up-projects/p-1/take") == (404, "nothing_to_call")
    for method, path in (("GET", ""), ("POST", "/release"), ("GET", "/contact")):
        refused = await south.refused(method, f"/follow-ups/{one['id']}{path}", version=2)
        assert refused == (404, "follow_up_not_found")
    assert (await Person(qa, "supervisor", areas=["north"]).get("/follow-ups"))["items"][0]["id"] == one["id"]


class Intake:
    """Intake as qa sees it over HTTP: who asked, and what it was asked."""

    def __init__(self, qa: ServiceUnderTest, answer: Any) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = answer
        qa.app.state.settings.intake_url = "http://intake.test"
        qa.app.state.http = httpx.AsyncClient(transport=httpx.MockTransport(self._on))

    def _on(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self._answer, Exception):
            raise self._answer
        status, body = self._answer
        return httpx.Response(status, json=body)


SHOWN = {
    "id": "s-1",
    "version": 1,
    "subscriber_no": "111",
    "name": "王小明",
    "phones": ["13800001111"],
    "address": "漕溪路 251 号",
    "kind": "household",
    "zone": "urban",
    "territory": None,
    "notes": "",
    "is_masked": False,
}


async def test_whom_to_call_is_asked_of_intake_with_the_callers_token_and_kept_nowhere(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    one = await _taken(qa, clock)
    intake = Intake(qa, (200, SHOWN))
    shown = await agent(qa).get(f"/follow-ups/{one['id']}/contact")
    assert shown["phones"] == ["13800001111"]
    assert intake.asked[0].url.path == "/v1/work-orders/o-1/subscriber"
    assert intake.asked[0].headers["authorization"].startswith("Bearer ")
    rows = await qa.rows("select body::text as body from follow_ups")
    assert "13800001111" not in "".join(row["body"] for row in rows)
    Intake(qa, httpx.ConnectError("away"))
    assert await agent(qa).refused("GET", f"/follow-ups/{one['id']}/contact") == (503, "intake_away")


async def _finding(qa: ServiceUnderTest, clock: FixedClock) -> dict[str, Any]:
    one = await _taken(qa, clock)
    replies = [{"question": "content", "scale": 1}, HAPPY[1]]
    await agent(qa).post(f"/follow-ups/{one['id']}/complete", {"subscriber_no": "111", "replies": replies}, version=2)
    return (await supervisor(qa).get("/findings"))["items"][0]


ORDER = {"device_type": "digital", "demand_type": "complaint", "content": "回访不满意"}


async def test_a_finding_opens_one_order_however_often_the_answer_gets_lost(
    qa: ServiceUnderTest, clock: FixedClock
) -> None:
    finding = await _finding(qa, clock)
    path = f"/findings/{finding['id']}/open-order"
    Intake(qa, httpx.ReadError("lost"))
    assert await agent(qa).refused("POST", path, ORDER, version=1) == (503, "intake_away")
    taken = Intake(qa, (409, {"code": "external_reference_taken", "order_id": "o-77"}))
    closed = await agent(qa).post(path, ORDER, version=1)
    assert (closed["state"], closed["order_id"]) == ("closed", "o-77")
    body = json.loads(taken.asked[0].content)
    assert (body["external_reference"], body["subscriber_no"]) == (f"finding-{finding['id']}", "111")
    assert await agent(qa).refused("POST", path, ORDER, version=2) == (409, "finding_already_closed")
    assert [one.order_id for one in await _published(qa, FindingClosed)] == ["o-77"]


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (422, {"code": "demand_type_unknown", "detail": "There is no demand type complaint."}),
        # The order is of a work area that the caller does not reach.
        (409, {"code": "external_reference_taken", "detail": "Taken.", "order_id": None, "order_no": None}),
    ],
)
async def test_what_intake_refuses_is_told_and_the_finding_stays_open(
    qa: ServiceUnderTest, clock: FixedClock, status: int, problem: dict[str, Any]
) -> None:
    finding = await _finding(qa, clock)
    Intake(qa, (status, problem))
    answer = await agent(qa).ask("POST", f"/findings/{finding['id']}/open-order", ORDER, version=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "order_not_opened")
    assert answer.json()["intake_code"] == problem["code"]
    assert problem["detail"] in answer.json()["detail"]
    closed = await supervisor(qa).post(f"/findings/{finding['id']}/close", {"remark": "已致歉"}, version=1)
    assert (closed["state"], closed["remark"], closed["order_id"]) == ("closed", "已致歉", None)


async def test_the_summary_counts_and_can_be_printed_in_two_languages(qa: ServiceUnderTest, clock: FixedClock) -> None:
    await _finding(qa, clock)
    found = await supervisor(qa).get("/follow-up-projects/p-1/summary")
    assert (found["planned_count"], found["completed_count"], found["order_count"]) == (1, 1, 1)
    assert (found["satisfaction_sum"], found["satisfaction_count"], found["dissatisfaction_count"]) == (1, 1, 1)
    path = "/follow-up-projects/p-1/summary"
    empty = await supervisor(qa).get(path, from_on="2001-01-01", until_on="2001-02-01")
    assert (empty["planned_count"], empty["satisfaction_sum"]) == (0, 0)
    march = await supervisor(qa).get(path, period="month")
    assert (march["from_on"], march["until_on"]) == ("2026-03-01", "2026-04-01")
    for page in (path, f"{path}.html"):
        assert await supervisor(qa).refused("GET", page, on="2026-03-02") == (422, "summary_days_unclear")
    printed = await supervisor(qa).ask("GET", "/follow-up-projects/p-1/summary.html")
    assert printed.headers["content-type"].startswith("text/html")
    assert "Mean satisfaction" in printed.text
    headers = qa.issuer.headers("supervisor") | {"accept-language": "zh-CN"}
    chinese = await qa.client.get("/v1/follow-up-projects/p-1/summary.html", headers=headers)
    assert "平均满意度" in chinese.text
    assert "装机回访" in chinese.text


@pytest.mark.parametrize(
    ("overrides", "refused"),
    [
        ({"end": "2001-01-01T00:00:00Z"}, (422, "project_period_inverted")),
        ({"calendar": "none"}, (404, "calendar_not_found")),
        ({"questionnaire": "visit:9"}, (404, "questionnaire_not_found")),
        ({"questionnaire": "visit"}, (422, "invalid_request")),
        ({"quotas": {"per_day": 0}}, (422, "invalid_request")),
    ],
)
async def test_a_project_that_is_not_right_is_refused(
    qa: ServiceUnderTest, overrides: dict, refused: tuple[int, str]
) -> None:
    await _project(qa)
    body = project_body(**overrides)
    assert await supervisor(qa).refused("PUT", "/follow-up-projects/p-9", body) == refused


async def test_a_project_changes_on_the_version_that_was_seen(qa: ServiceUnderTest) -> None:
    await _project(qa)
    path = "/follow-up-projects/p-1"
    assert await supervisor(qa).refused("PUT", path, project_body()) == (428, "version_required")
    changed = await supervisor(qa).put(path, project_body(max_attempts=5), version=1)
    assert (changed["version"], changed["max_attempts"]) == (2, 5)
    assert await supervisor(qa).refused("PUT", path, project_body(), version=1) == (412, "thing_changed")
    other = project_body(cause="complaint")
    assert await supervisor(qa).refused("PUT", path, other, version=2) == (422, "cause_cannot_change")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/calendars/x", {"days_off": [0, 1, 2, 3, 4, 5, 6]}, "no_working_days"),
        ("/calendars/x", {"time_zone": "Mars/Olympus"}, "invalid_request"),
        ("/calendars/x", {"holidays": ["9999-12-31"]}, "invalid_request"),
    ],
)
async def test_a_calendar_that_cannot_be_counted_on_is_refused(
    qa: ServiceUnderTest, path: str, body: dict, code: str
) -> None:
    assert await supervisor(qa).refused("PUT", path, body) == (422, code)
