"""The wallboard: what it shows to whom, how its stream goes on, and its page in a real browser."""

import asyncio
import contextlib
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from services.reporting.tests.browser import CHROMIUM, browser
from services.reporting.tests.conftest import CallStream

from chassis.testing import TestIssuer, settings_for
from contracts import calls as c
from contracts.codec import new_message
from contracts.directory import AgentDefined
from contracts.lifecycle import Service, Status
from contracts.message import Actor
from linework.ports import free_port
from reporting.main import app


def _just_now(**ago: float) -> datetime:
    return datetime.now(UTC) - timedelta(**ago)


def _waiting(call_id: str, seconds: float, queue: str = "咨询") -> list:
    stream = CallStream(call_id)
    stream.add(c.CallOffered(fact_id=f"{call_id}:0"), _just_now(seconds=seconds))
    stream.add(c.CallQueued(fact_id=f"{call_id}:1", queue=queue), _just_now(seconds=seconds))
    return stream.messages


def _agents_of_the_directory(names: dict[str, str]) -> list:
    return [
        new_message(
            AgentDefined(agent_id=agent_id, name=name),
            service=Service.INTAKE,
            subject=f"agent:{agent_id}",
            actor=Actor("supervisor-1", "supervisor"),
            occurred_at=_just_now(days=1),
            recorded_at=_just_now(days=1),
            entity_version=1,
        )
        for agent_id, name in names.items()
    ]


def _state(agent_id: str, state: c.AgentState) -> list:
    stream = CallStream(f"agent:{agent_id}")
    stream.add(c.AgentStateChanged(fact_id=agent_id, agent_id=agent_id, state=state), _just_now(minutes=5))
    return stream.messages


@pytest.fixture
async def floor(reporting, make_stream, make_call):
    """Two calls waiting, one being answered, agents in three states, orders in two."""
    talking = make_call("c-0", at=_just_now(seconds=60), wait=5, talk=600, agent_id="a-1").messages[:3]
    await reporting.receive(
        *_waiting("c-1", 95),
        *_waiting("c-2", 20, "报修"),
        *talking,
        *_state("a-1", c.AgentState.READY),
        *_state("a-2", c.AgentState.READY),
        *_state("a-3", c.AgentState.PAUSED),
        *_state("a-4", c.AgentState.SIGNED_OUT),
        *make_stream("o-1", Status.PROCESSING, at=_just_now(hours=5)).messages,
        *make_stream("o-2", Status.CREATED, at=_just_now(hours=1)).messages,
        *make_stream("o-3", Status.ARCHIVED, at=_just_now(hours=9)).messages,
    )
    return reporting


async def test_the_wallboard_shows_how_things_stand_and_how_old_that_is(floor):
    shown = (await floor.get("/wallboard", "supervisor")).json()
    calls = shown["calls"]
    assert (calls["waiting"], [one["queue"] for one in calls["queues"]]) == (2, ["咨询", "报修"])
    assert 95 <= calls["longest_wait_seconds"] < 155
    assert calls["agents"] == {"on_call": 1, "ready": 1, "paused": 1}
    assert {one["status"]: one["orders"] for one in shown["orders"]["statuses"]} == {"created": 1, "processing": 1}
    assert shown["orders"]["p90_seconds"] == pytest.approx(5 * 3600, rel=0.02)
    assert 0 <= shown["lag_seconds"] < 120


async def test_whose_token_names_areas_sees_their_orders_and_no_calls(floor):
    shown = (await floor.get("/wallboard", "technician", ["north"])).json()
    assert (shown["calls"], shown["areas"]) == (None, ["north"])
    assert [(one["status"], one["orders"]) for one in shown["orders"]["statuses"]] == [("processing", 1)]
    assert (await floor.get("/wallboard", "technician", ["south"])).json()["orders"]["orders"] == 0
    assert (await floor.get("/wallboard", "agent")).status_code == 403
    assert (await floor.get("/wallboard/stream", "agent")).status_code == 403


async def test_the_wallboard_lists_what_is_over_its_limit_next(floor, make_stream):
    """Urban orders are to be reached within 45 minutes: those of the floor are over it, but the archived one."""
    await floor.receive(
        *make_stream("o-8", Status.DISPATCHED, at=_just_now(minutes=20), order_no="8").messages,
        *make_stream("o-9", Status.DISPATCHED, at=_just_now(minutes=30), order_no="9").messages,
        *make_stream("o-7", Status.CREATED, at=_just_now(minutes=5), order_no="7").messages,
    )
    limits = (await floor.get("/wallboard", "supervisor")).json()["limits"]
    assert (limits["near_limit"], limits["over_limit"], limits["near_seconds"]) == (2, 2, 1800)
    assert [(one["order_no"], one["clock"], one["work_area_id"]) for one in limits["next"]] == [
        ("9", "arrive", "north"),
        ("8", "arrive", "north"),
    ]
    assert 0 < limits["next"][0]["seconds_left"] <= 15 * 60
    elsewhere = (await floor.get("/wallboard", "technician", ["south"])).json()["limits"]
    assert (elsewhere["near_limit"], elsewhere["over_limit"], elsewhere["next"]) == (0, 0, [])


async def test_the_wallboard_lists_what_has_been_over_its_limit_longest(floor):
    limits = (await floor.get("/wallboard", "supervisor")).json()["limits"]
    # Urban orders are to be reached within 45 minutes: o-1 began five hours ago, o-2 one.
    assert [(one["order_id"], one["clock"]) for one in limits["over"]] == [("o-1", "arrive"), ("o-2", "arrive")]
    assert limits["over"][0]["seconds_over"] == pytest.approx(5 * 3600 - 45 * 60, abs=120)


async def test_queues_have_the_names_of_the_rules_of_reports(floor):
    rules = (await floor.get("/rules/reports", "supervisor")).json()
    names = {"en": "Consultation", "zh": "业务咨询专席"}
    body = {"centre": rules["centre"], "queues": {"咨询": names}}
    assert (await floor.put("/rules/reports", "supervisor", body)).status_code == 200
    queues = (await floor.get("/wallboard", "display")).json()["calls"]["queues"]
    assert [(one["queue"], one["name"]) for one in queues] == [("咨询", names), ("报修", None)]


async def test_agents_are_shown_by_name_with_their_state_and_since_when(floor):
    await floor.receive(*_agents_of_the_directory({"a-1": "王芳", "a-3": "李娜"}))
    people = {one["agent_id"]: one for one in (await floor.get("/wallboard", "supervisor")).json()["calls"]["people"]}
    assert {name: (one["name"], one["state"]) for name, one in people.items()} == {
        "a-1": ("王芳", "on_call"),
        "a-2": ("a-2", "ready"),
        "a-3": ("李娜", "paused"),
    }
    assert 300 <= people["a-3"]["seconds"] < 420


async def test_levels_follow_the_rules_and_the_rules_can_be_changed(floor):
    before = (await floor.get("/wallboard", "supervisor")).json()
    assert (before["levels"]["waiting"], before["levels"]["longest_wait"]) == ("normal", "warning")
    assert before["rules"]["colours"]["alarm"] == "#ff7b72"
    rules = (await floor.get("/rules/wallboard", "operator")).json()
    changed = {
        "thresholds": rules["thresholds"] | {"waiting": {"warning": 0, "alarm": 1}},
        "states": {"paused": {"warning": 60}},
        "colours": {"alarm": "#ff5555"},
    }
    stored = (await floor.put("/rules/wallboard", "supervisor", changed)).json()
    assert (stored["version"], stored["changed_by"], stored["colours"]["normal"]) == (2, "supervisor-1", "#e8edf2")
    after = (await floor.get("/wallboard", "supervisor")).json()
    assert (after["levels"]["waiting"], after["rules"]["colours"]["alarm"]) == ("alarm", "#ff5555")
    assert after["id"] != before["id"]
    assert next((one["agent_id"], one["level"]) for one in after["calls"]["people"]) == ("a-3", "warning")


RULES_THAT_CANNOT_BE = [
    ({"thresholds": {"waiting": {"warning": 5, "alarm": 4}}}, "thresholds_inverted"),
    ({"thresholds": {"temperature": {"alarm": 4}}}, "invalid_request"),
    ({"thresholds": {"waiting": {"warning": True}}}, "invalid_request"),
    ({"thresholds": {"waiting": {"warning": "5"}}}, "invalid_request"),
    ({"thresholds": {"waiting": {"alarm": -1}}}, "invalid_request"),
    ({"states": {"ready": {"alarm": 4}}}, "invalid_request"),
    ({"colours": {"alarm": "red"}}, "invalid_request"),
]


async def test_rules_that_cannot_be_are_refused_and_change_nothing(reporting, subtests):
    before = (await reporting.get("/rules/wallboard", "supervisor")).json()
    for change, code in RULES_THAT_CANNOT_BE:
        with subtests.test(**change):
            body = {name: before[name] for name in ("thresholds", "states", "colours")} | change
            answer = await reporting.put("/rules/wallboard", "supervisor", body)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
            assert (await reporting.get("/rules/wallboard", "supervisor")).json() == before


async def test_a_display_shows_the_wallboard_and_can_do_nothing_else(floor):
    shown = (await floor.get("/wallboard", "display")).json()
    assert (shown["calls"]["waiting"], shown["orders"]["orders"]) == (2, 2)
    assert (await floor.get("/wallboard", "display", ["north"])).json()["calls"] is None
    for path in ("/figures/calls_offered", "/work-orders", "/reports", "/rules/wallboard"):
        assert (await floor.get(path, "display")).status_code == 403


class _InThread(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield


@pytest.fixture
def served(reporting, reporting_database):
    """The service as browsers and streams meet it: on a port."""
    port, issuer, made = free_port(), TestIssuer(), app(settings_for(reporting_database))
    server = _InThread(uvicorn.Config(made, port=port, log_level="error", loop="asyncio", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < give_up_at
        thread.join(0.05)
    made.state.verifier = issuer.verifier()
    yield f"http://127.0.0.1:{port}", issuer, made
    server.should_exit = True
    thread.join(20)


async def _next_event(lines) -> tuple[str, dict]:
    event_id, data = "", None
    async for line in lines:
        if line.startswith("id: "):
            event_id = line[4:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
        elif not line and data is not None:
            return event_id, data
    raise AssertionError("the stream has ended")


async def test_a_stream_tells_each_change_and_goes_on_from_the_last_event(floor, served):
    address, issuer, _ = served
    headers = issuer.headers("supervisor")
    async with httpx.AsyncClient(timeout=20) as client:
        async with client.stream("GET", f"{address}/v1/wallboard/stream", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            first_id, first = await _next_event(lines)
            await floor.receive(*_waiting("c-9", 1))
            second_id, second = await _next_event(lines)
        assert (first["calls"]["waiting"], second["calls"]["waiting"]) == (2, 3)
        assert first_id != second_id
        behind = headers | {"last-event-id": first_id}
        async with client.stream("GET", f"{address}/v1/wallboard/stream", headers=behind) as answer:
            began = asyncio.get_running_loop().time()
            assert (await _next_event(answer.aiter_lines()))[0] == second_id
            assert asyncio.get_running_loop().time() - began < 3
        after = headers | {"last-event-id": second_id}
        async with client.stream("GET", f"{address}/v1/wallboard/stream", headers=after) as answer:
            lines = answer.aiter_lines()
            await floor.receive(*_waiting("c-10", 1))
            while (await _next_event(lines))[1]["calls"]["waiting"] != 4:
                pass


async def test_a_stream_ends_with_its_token_and_with_the_process(floor, served):
    address, issuer, made = served
    async with httpx.AsyncClient(timeout=20) as client:
        async with client.stream(
            "GET", f"{address}/v1/wallboard/stream", headers=issuer.headers("supervisor", exp=int(time.time()) + 2)
        ) as answer:
            assert "event: snapshot" in (await answer.aread()).decode()
        made.state.is_leaving = True
        async with client.stream(
            "GET", f"{address}/v1/wallboard/stream", headers=issuer.headers("supervisor")
        ) as answer:
            assert (await answer.aread()).decode() == "retry: 2000\n\n"


async def test_the_page_has_no_data_and_loads_nothing_from_elsewhere(reporting):
    answer = await reporting.client.get("/wallboard")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "http://" not in answer.text
    assert "https://" not in answer.text


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine; Debian has it as `chromium`")
async def test_the_page_shows_the_wallboard_in_both_languages_and_says_when_it_is_cut_off(floor, served, tmp_path):
    address, issuer, made = served
    await asyncio.to_thread(_look, tmp_path, address, issuer.token("display"), made)


def _look(folder, address, token, made) -> None:
    with browser(folder) as page:
        page.open(f"{address}/wallboard#lang=zh&token={token}")
        waiting = "document.querySelector('[data-name=waiting] b')?.textContent"
        assert page.eventually(waiting, bool) == "2"
        text = page.value("document.body.innerText")
        assert all(
            word in text for word in ("实时看板", "排队呼叫", "服务水平", "通话中", "小休", "报修", "处理", "已超时限")
        )
        assert "实时；最新事件距今" in page.value("document.getElementById('state').textContent")
        assert token not in page.value("location.href")
        page.value("document.getElementById('language').click()")
        text = page.eventually("document.body.innerText", lambda shown: "Calls waiting" in shown)
        assert "newest event" in page.value("document.getElementById('state').textContent")
        assert page.value("document.documentElement.lang") == "en"
        for width in (390, 1280, 1920):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            page.ask("Emulation.setDeviceMetricsOverride", **size)
            assert page.value("document.documentElement.scrollWidth") <= width
        made.state.is_leaving = True
        page.eventually("document.getElementById('state').textContent", lambda shown: "connection lost" in shown)
        made.state.is_leaving = False
        page.eventually("document.getElementById('state').textContent", lambda shown: "live" in shown)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine; Debian has it as `chromium`")
async def test_the_page_tells_who_is_not_let_in_and_asks_again(reporting, served, tmp_path):
    address, issuer, _ = served

    def look() -> None:
        with browser(tmp_path) as page:
            page.open(f"{address}/wallboard#lang=en&token={issuer.token('agent')}")
            state = "document.getElementById('state').textContent"
            assert "requires one of the roles" in page.eventually(state, bool)
            assert page.value("document.getElementById('ask').hidden") is False
            assert page.value("document.getElementById('board').hidden") is True
            page.open("about:blank")
            page.open(f"{address}/wallboard#lang=zh&token={quote('令牌')}")
            assert page.eventually(state, bool) == "无法进入：令牌只含 ASCII 字符"
            assert page.value("document.getElementById('ask').hidden") is False

    await asyncio.to_thread(look)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine; Debian has it as `chromium`")
async def test_a_page_that_never_had_a_connection_says_so_in_the_reader_s_language(reporting, served, tmp_path):
    address, issuer, _ = served

    def look() -> None:
        with browser(tmp_path) as page:
            page.ask("Network.enable")
            page.ask("Network.setBlockedURLs", urlPatterns=[{"urlPattern": "*://*:*/v1/*", "block": True}])
            page.open(f"{address}/wallboard#lang=zh&token={issuer.token('display')}")
            assert page.eventually("document.getElementById('state').textContent", bool) == "无法连接；正在重试"

    await asyncio.to_thread(look)
