"""The commands as they are typed: what they say, and with which exit status they end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from linework.reference_data import DEMAND_TYPES, DEVICE_TYPES, WORK_AREAS
from linework.stopped import Stopped

Typed = Callable[..., Result]

HEADER = "SRNumber,CreatedDate,RequestSource,RequestType,Status,Owner,AssignTo,ServiceDate,ClosedDate,Address\n"
GOOD = '1-1,12/27/2017 09:00:00 AM,Call,Other,Closed,BOS,NC,,12/28/2017 09:00:00 AM,"1 MAIN ST, 90001"\n'
BAD = '1-2,12/27/2017 09:00:00 AM,Pigeon,Other,Closed,BOS,NC,,,"2 MAIN ST, 90001"\n'


def test_reference_data_is_added_once_and_operators_changes_stay(city: Any, typed: Typed) -> None:
    first = typed("reference", "load")
    assert first.output == "Added: 4 device types, 7 demand types, 4 work areas, 10 staff.\n"
    assert (set(city.types["device"]), set(city.types["demand"])) == (set(DEVICE_TYPES), set(DEMAND_TYPES))
    assert set(city.areas) == set(WORK_AREAS)
    city.types["demand"]["test"]["name_en"] = "Trial"
    before = city.changes
    assert typed("reference", "load").output == "Added: 0 device types, 0 demand types, 0 work areas, 0 staff.\n"
    assert (city.changes, city.types["demand"]["test"]["name_en"]) == (before, "Trial")


def test_the_reference_data_is_named_in_both_languages() -> None:
    for en, zh in [*DEVICE_TYPES.values(), *DEMAND_TYPES.values(), *((a.en, a.zh) for a in WORK_AREAS.values())]:
        assert en.isascii()
        assert not zh.isascii()


def test_an_import_without_a_refused_row_ends_well_also_the_second_time(
    city: Any, typed: Typed, tmp_path: Path
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(HEADER + GOOD)
    for _ in range(2):
        done = typed("import", "myla311", file, "--through", "archived")
        assert (done.exit_code, "1 archived" in done.output) == (0, True)
    assert len(city.orders) == 1


def test_an_import_creates_only_unless_it_is_told_to_go_further(city: Any, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(HEADER + GOOD)
    assert "1 created" in typed("import", "myla311", file).output
    assert [order.status.value for order in city.orders.values()] == ["created"]


def test_an_import_with_a_refused_row_names_it_and_ends_with_1(city: Any, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(HEADER + GOOD + BAD)
    done = typed("import", "myla311", file, "--through", "archived")
    assert done.exit_code == 1
    assert "line 3: 1-2 refused: RequestSource 'Pigeon' is none of" in done.output
    assert len(city.orders) == 1


def test_a_file_that_is_no_such_file_stops_before_anything_is_asked(city: Any, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n")
    done = typed("import", "myla311", file)
    assert isinstance(done.exception, Stopped)
    assert city.asked == []


def test_a_simulation_ends_well_and_tells_what_was_done(city: Any, typed: Typed) -> None:
    done = typed("simulate", "--orders", 5, "--rate", 1000)
    assert (done.exit_code, len(city.orders)) == (0, 5)
    assert "create 5" in done.output


def test_a_simulation_that_was_answered_the_impossible_ends_with_1(city: Any, typed: Typed, problem: Any) -> None:
    def interfere(method: str, path: str) -> None:
        if path.endswith("/dispatch"):
            raise problem(500, "internal_error")

    city.interfere = interfere
    done = typed("simulate", "--orders", 2, "--rate", 1000)
    assert done.exit_code == 1
    assert "500 internal_error" in done.output


class Rebuild:
    """A rebuild of reporting that takes three looks."""

    def __init__(self, difference_count: int) -> None:
        self.states = ["building", "catching_up", "ready"]
        self.difference_count = difference_count
        self.switched: list[Any] = []

    def answer(self, method: str, path: str, body: Any) -> Any:
        if path.endswith("/switch"):
            self.switched.append(body)
            return 200, {}
        if not path.startswith("rebuilds"):
            return None
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        difference = {"table": "order_facts", "order_id": "o-1", "shown": {"version": 2}, "rebuilt": {"version": 3}}
        return 200, {
            "id": 7,
            "state": state,
            "asked_by": "operator-1",
            "order_count": 2,
            "done_count": 2,
            "difference_count": self.difference_count,
            "differences": [difference] * self.difference_count,
            "failure": None,
        }


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linework.rebuild._LOOK_EVERY_SECONDS", 0)


@pytest.mark.parametrize(
    ("difference_count", "options", "exit_code", "switched"),
    [
        (0, [], 0, [{"accepts_differences": False}]),
        (0, ["--no-switch"], 0, []),
        (1, [], 1, []),
        (1, ["--accept-differences"], 0, [{"accepts_differences": True}]),
    ],
)
def test_a_rebuild_is_switched_to_when_it_is_the_same_or_accepted(
    city: Any, typed: Typed, difference_count: int, options: list[str], exit_code: int, switched: list[Any]
) -> None:
    rebuild = Rebuild(difference_count)
    city.extra = rebuild.answer
    done = typed("rebuild", "reporting", *options)
    assert (done.exit_code, rebuild.switched) == (exit_code, switched)
    assert ("order_facts, order o-1" in done.output) == bool(difference_count)


RECORD = {
    "id": 3,
    "topic": "work-orders",
    "key": "o-1",
    "value": '{"a": 1}',
    "headers": {"ce_id": "x", "ce_odd": "y"},
    "reason": "a gap",
    "state": "parked",
    "parked_at": "2026-03-02T08:00:00Z",
    "repaired": None,
}


@pytest.fixture
def parked(city: Any) -> list[tuple[str, str, Any]]:
    """What was asked of a service with one parked record."""
    asked: list[tuple[str, str, Any]] = []
    pages = [[RECORD], []]

    def answer(method: str, path: str, body: Any) -> Any:
        asked.append((method, path, body))
        if path == "parked":
            return 200, {"items": pages.pop(0)}
        return 200, {"released": 2} if path == "parked/release" else RECORD

    city.extra = answer
    return asked


def test_parked_records_are_listed_with_their_reasons(typed: Typed, parked: list[Any]) -> None:
    output = typed("parked", "list", "qa").output
    assert "3  work-orders  o-1  since 2026-03-02T08:00:00Z: a gap" in output
    assert "1 parked in qa." in output


def test_settled_records_are_listed_with_who_settled_them(typed: Typed, parked: list[Any], city: Any) -> None:
    settled = {"state": "released", "settled_by": "operator-1", "settled_at": "2026-03-03T08:00:00Z"}
    pages = [[{**RECORD, **settled}], []]
    city.extra = lambda method, path, body: (200, {"items": pages.pop(0)})
    output = typed("parked", "list", "qa", "--state", "released").output
    assert "released by operator-1 at 2026-03-03T08:00:00Z: a gap" in output
    assert "1 released in qa." in output
    assert "no state lost" in str(typed("parked", "list", "qa", "--state", "lost").exception)


def test_a_repair_changes_what_is_given_and_keeps_the_rest(typed: Typed, parked: list[Any]) -> None:
    typed("parked", "repair", "qa", 3, "--header", "ce_odd=", "--header", "ce_id=z")
    typed("parked", "repair", "qa", 3, "--value", "{}")
    assert [body for method, _, body in parked if method == "POST"] == [
        {"value": '{"a": 1}', "headers": {"ce_id": "z"}},
        {"value": "{}", "headers": RECORD["headers"]},
    ]


def test_of_an_excerpt_the_range_is_listed_and_a_repair_needs_the_whole_value(typed: Typed, city: Any) -> None:
    excerpt = {**RECORD, "offset": 4, "last_offset": 9, "is_excerpt": True}
    pages = [[excerpt], []]
    posted: list[Any] = []

    def answer(method: str, path: str, body: Any) -> Any:
        posted.extend([body] if method == "POST" else [])
        return 200, {"items": pages.pop(0)} if path == "parked" else excerpt

    city.extra = answer
    assert "o-1  offsets 4 to 9  since" in typed("parked", "list", "qa").output
    assert "Only an excerpt of 3" in str(typed("parked", "repair", "qa", 3, "--header", "ce_id=z").exception)
    assert posted == []
    typed("parked", "repair", "qa", 3, "--value", "{}")
    assert [body["value"] for body in posted] == ["{}"]


def test_a_key_is_released_and_a_record_discarded(typed: Typed, parked: list[Any]) -> None:
    assert typed("parked", "release", "qa", "o-1").output == "Released 2 records of o-1.\n"
    assert typed("parked", "discard", "qa", 3).exit_code == 0
    assert [path for method, path, _ in parked if method == "POST"] == ["parked/release", "parked/3/discard"]


@pytest.mark.parametrize(
    "arguments",
    [("list", "nobody"), ("repair", "qa", 3, "--header", "odd"), ("repair", "qa", 3, "--value-file", "nowhere.json")],
)
def test_what_is_typed_wrong_is_told_in_a_sentence(typed: Typed, parked: list[Any], arguments: tuple[Any, ...]) -> None:
    assert isinstance(typed("parked", *arguments).exception, Stopped)
    assert parked == []


def test_a_token_comes_from_the_issuer_that_the_environment_names(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEWORK_ISSUER_URL", "http://issuer.test")
    monkeypatch.setattr("linework.token.request_token", lambda issuer, role, *_: f"{role} of {issuer}")
    assert typed("token", "agent").output == "agent of http://issuer.test\n"
