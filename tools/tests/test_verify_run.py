"""A whole check of a city in memory: it always ends, and says what differs and why."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from contracts.lifecycle import Status
from contracts.message import Message
from linework.cli import main
from linework.stopped import Stopped
from linework.verify import run
from linework.verify.laws import Law
from linework.verify.outcome import BROKEN, LAWFUL, UNFINISHED, Causes, Outcome
from work_orders.testing import Stream, make_dispatched

METRIC = {"id": "calls_offered", "version": 1, "dimensions": ["queue", "team"], "has_periods": True}


class Services:
    """What the five services of a city answer to a check, as `CityInMemory.extra`."""

    def __init__(self, city: Any) -> None:
        self.stream = Stream("o-1").until(Status.CREATED)
        self.read_count = 1
        """Messages that reporting says it has read."""
        self.parked: list[dict[str, Any]] = []
        self.shown = self.stream.order
        self.figures_asked = 0
        self._city = city

    def __call__(self, method: str, path: str, body: Any) -> Any:
        query = {name: found[0] for name, found in parse_qs(self._city.queries[-1]).items()}
        match path.split("/"):
            case ["parked"]:
                rows = self.parked if query.get("after") == "0" and "state" not in query else []
                return 200, {"items": rows}
            case ["events"]:
                rows = self._events() if query["topic"] == "work-orders" and query["after"] == "0" else []
                return 200, {"items": rows, "next_after": 0}
            case ["work-orders"]:
                assert self.shown is not None
                rows = [self.shown] if query["status"] == self.shown.status.value else []
                return 200, {"items": rows, "next_cursor": None}
            case ["work-orders", _, "proof"]:
                return 200, {"events": [], "final_hash": ""}
            case ["metrics"]:
                return 200, {"items": [METRIC]}
            case ["figures", _]:
                self.figures_asked += 1
                return 200, self._figure()
        return None

    def _events(self) -> list[dict[str, Any]]:
        return [_as_event(place, message) for place, message in enumerate(self.stream.messages, start=1)]

    def _figure(self) -> dict[str, Any]:
        read = {"message_count": self.read_count, "call_message_count": 0, "quality_message_count": 0}
        return {
            "rows": [],
            "read_up_to": {"positions": {}, **read},
            "parameters": {},
            "time_zone": "Asia/Shanghai",
            "at": "2026-01-01T00:00:00+00:00",
        }


def _as_event(place: int, message: Message) -> dict[str, Any]:
    names = ("id", "source", "type", "subject", "order_version", "entity_version", "prev_hash")
    return {
        "place": place,
        **{name: getattr(message, name) for name in names},
        "time": message.occurred_at.isoformat(),
        "recorded_time": message.recorded_at.isoformat(),
        "actor": message.actor.sub,
        "actor_role": message.actor.role,
        "actor_name": message.actor.name,
        "data": message.data.decode(),
    }


@pytest.fixture
def services(city: Any) -> Services:
    city.extra = Services(city)
    city.orders["o-1"] = city.extra.stream.order
    return city.extra


@pytest.fixture
def verify(city: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    monkeypatch.setattr("linework.verify.quiet._LOOK_EVERY_SECONDS", 0.01)

    def check(**options: Any) -> Outcome:
        async def in_loop() -> Outcome:
            said = options.pop("say", lambda text: None)
            async with city.client() as client:
                return await run.verify(client, **{"wait_seconds": 0.1, "acknowledged": None, "say": said, **options})

        return asyncio.run(in_loop())

    return check


def broken(outcome: Outcome) -> list[tuple[Law, str, str]]:
    return [(found.law, found.where, found.what) for found in outcome.findings.kept]


def test_a_lawful_city_is_checked_to_the_end_with_progress(services: Services, verify: Callable[..., Outcome]) -> None:
    said: list[str] = []
    outcome = verify(say=said.append)
    assert broken(outcome) == []
    assert (outcome.exit_status, outcome.unfinished) == (LAWFUL, None)
    assert outcome.checked[Law.FIGURES] == 4
    assert "comparing figures with a recount" in said


def test_a_count_that_differs_is_reported_once_and_every_figure_is_asked_once(
    services: Services, verify: Callable[..., Outcome]
) -> None:
    services.read_count = 5
    outcome = verify(limit_seconds=20)
    assert [what for law, _, what in broken(outcome) if law is Law.RECORD] == [
        "of orders, calls and quality it has read (5, 0, 0) messages; the streams have (1, 0, 0)"
    ]
    assert services.figures_asked == 1 + 4  # one to wait for, then each question
    assert outcome.exit_status == BROKEN


def test_a_reporting_that_stays_behind_ends_the_comparison_with_its_lag(
    services: Services, verify: Callable[..., Outcome]
) -> None:
    services.read_count = 0
    outcome = verify(wait_seconds=0.05)
    (found,) = broken(outcome)
    assert found == (Law.RECORD, "reporting", "is 1 records behind; figures were not compared")
    assert outcome.checked[Law.FIGURES] == 0


def test_a_state_that_differs_because_its_key_is_parked_says_so(
    services: Services, verify: Callable[..., Outcome]
) -> None:
    services.parked = [
        {"id": 7, "topic": "work-orders", "key": "o-1", "partition": 0, "offset": 9, "reason": "a gap"},
    ]
    services.stream.add(make_dispatched())
    services.read_count = 2
    outcome = verify()
    assert (Law.PARKED, "qa", "record 7 of work-orders, key o-1: a gap") in broken(outcome)
    what = "is at version 1; the stream has version 2 (qa has parked 1 records of this key)"
    assert (Law.STATES, "qa, order o-1", what) in broken(outcome)
    assert str(outcome.causes).startswith("intake has parked 1 keys; dispatch has parked 1 keys")


def test_the_time_of_a_check_is_bounded_and_what_was_checked_is_kept(
    services: Services, city: Any, verify: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr("linework.verify.figures.FigureCheck._compare", never)
    outcome = verify(limit_seconds=0.3)
    assert outcome.unfinished == "the limit of 0 s was reached, while comparing figures with a recount"
    assert (outcome.checked[Law.STATES], outcome.checked[Law.FIGURES]) == (4, 0)
    assert outcome.exit_status == UNFINISHED


def test_an_interrupted_check_shows_what_was_checked(
    services: Services, city: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> Outcome:
        interruption: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def interrupt(*_: Any, **__: Any) -> Any:
            interruption.set_result("by Ctrl-C")
            await asyncio.Event().wait()

        monkeypatch.setattr("linework.verify.figures.FigureCheck._compare", interrupt)
        async with city.client() as client:
            return await run.verify(
                client, wait_seconds=0, acknowledged=None, say=lambda text: None, interruption=interruption
            )

    outcome = asyncio.run(check())
    assert outcome.unfinished == "stopped by Ctrl-C, while comparing figures with a recount"
    assert outcome.checked[Law.STATES] == 4


def test_a_service_that_does_not_answer_leaves_the_check_unfinished(
    services: Services, city: Any, problem: type[Exception], verify: Callable[..., Outcome]
) -> None:
    def refuse(method: str, path: str) -> None:
        if path == "/v1/metrics":
            raise problem(503, "figures_not_built")

    city.interfere = refuse
    outcome = verify()
    assert outcome.unfinished is not None
    assert "while comparing figures with a recount: GET /v1/metrics: 503 figures_not_built" in outcome.unfinished
    assert outcome.exit_status == UNFINISHED


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/work-orders"])
def test_what_clients_were_told_is_looked_for_also_when_a_service_refuses(
    services: Services, city: Any, problem: type[Exception], verify: Callable[..., Outcome], path: str
) -> None:
    def refuse(method: str, asked: str) -> None:
        if asked == path:
            raise problem(500, "internal_error")

    city.interfere = refuse
    (message,) = services.stream.messages
    told = [("o-1", 1, message.type), ("o-1", 2, "linework.work_order.dispatched.v1")]
    outcome = verify(acknowledged=told)
    assert "500 internal_error" in (outcome.unfinished or "")
    assert outcome.checked[Law.JOURNAL] == 2
    assert [found for found in broken(outcome) if found[0] is Law.JOURNAL] == [
        (Law.JOURNAL, "o-1", "version 2, linework.work_order.dispatched.v1, is not in the stream")
    ]
    assert (Law.STATES in outcome.checked) == (path == "/v1/metrics")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_command_says_what_explains_differences(services: Services, typed: Callable[..., Any], as_json: bool) -> None:
    services.read_count = 5
    result = typed("verify", "--wait", "0", *(["--json"] if as_json else []))
    assert result.exit_code == BROKEN
    if as_json:
        told = json.loads(result.stdout)
        assert (told["is_finished"], told["causes"]["unreadable_records"]) == (True, 0)
    else:
        assert "violations." in result.stdout


def test_causes_are_half_a_sentence() -> None:
    causes = Causes({"qa": 2}, 3, {"linework.future.v1": 4}, 1, {"intake": "it is 5 records behind"})
    assert str(causes) == (
        "qa has parked 2 keys; 3 records are unreadable; 4 messages are of unknown types; "
        "the stream of 1 orders is broken; intake: it is 5 records behind"
    )
    assert str(Causes()) == ""


def test_an_installation_that_does_not_run_is_no_broken_law(
    city: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def away(*_: Any) -> None:
        raise Stopped("http://intake.test cannot be reached; start the installation with `linework up`.")

    monkeypatch.setattr("linework.client.find_addresses", lambda *_: None)
    monkeypatch.setattr("linework.client.ServiceClients.require", away)
    monkeypatch.setattr("linework.client.ServiceClients", lambda _, **more: city.client(**more))
    monkeypatch.setattr("sys.argv", ["linework", "verify"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == UNFINISHED
    assert "cannot be reached" in capsys.readouterr().err
