"""Stories against a city in memory: what a seed gives, and what is noticed when an answer is impossible."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.lifecycle import STEPS, Act, Status
from linework.client import Patience
from linework.simulate import _journal
from linework.simulate_story import CHOICES, Cast, Notes, Story
from linework.stopped import Stopped
from linework.verify.commands import _acknowledged

STAFF = {"north": ["north-1", "north-2"], "south": ["south-1"], "east": ["east-1"]}


async def told(city: Any, count: int, *, seed: int = 1, journal: Any = None) -> tuple[Notes, list[Story]]:
    notes = Notes() if journal is None else Notes(journal=journal)
    async with city.client(patience=Patience(seconds=1)) as client:
        stories = [Story(Cast(client, notes, STAFF), number, seed) for number in range(1, count + 1)]
        for story in stories:
            await story.run()
    return notes, stories


@pytest.fixture(autouse=True)
def _nobody_cancels_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linework.simulate_story.CANCELLED_MEANWHILE", 0)


async def test_orders_go_every_way_that_there_is(city: Any) -> None:
    notes, stories = await told(city, 150)
    assert notes.impossible == []
    ends = Counter(story.order.status for story in stories)
    assert set(ends) == {Status.ARCHIVED, Status.CANCELLED}
    for act in ("reject", "send_to_redispatch", "suspend", "resume", "note", "fail_audit", "redispatch"):
        assert notes.acts[act] > 0, act
    assert notes.acts["create"] == 150


async def test_the_same_seed_tells_the_same_lives(city: Any) -> None:
    first, _ = await told(city, 20, seed=7)
    again, _ = await told(type(city)(), 20, seed=7)
    other, _ = await told(type(city)(), 20, seed=8)
    assert first.acts == again.acts != other.acts


async def test_a_refusal_that_nobody_caused_is_impossible(city: Any, problem: Any) -> None:
    def interfere(method: str, path: str) -> None:
        if path.endswith("/dispatch"):
            raise problem(403, "role_not_allowed")

    city.interfere = interfere
    notes, _ = await told(city, 1)
    assert len(notes.impossible) == 1
    assert "403 role_not_allowed" in notes.impossible[0]


async def test_an_order_that_somebody_else_moved_on_is_followed(city: Any) -> None:
    from contracts import events as e

    def interfere(method: str, path: str) -> None:
        if path.endswith("/start") and city.orders["o-1"].status is Status.DISPATCHED:
            city.act("o-1", e.WorkOrderCancelled(request_id="r", reason="meanwhile"))

    city.interfere = interfere
    for seed in range(1, 4):
        city.orders.clear()
        notes, (story,) = await told(city, 1, seed=seed)
        assert notes.impossible == []
        if notes.refusals["stale_version"]:
            assert story.order.status is Status.CANCELLED
            break
    else:
        raise AssertionError("no seed came to start an order")


async def test_an_answer_that_does_not_follow_from_the_one_before_is_impossible(city: Any) -> None:
    done = city._act

    def repeating(service: str, order_id: str, act: str, expected: int, body: Any) -> Any:
        before = city.orders[order_id]
        done(service, order_id, act, expected, body)
        return before if act == "start" else city.orders[order_id]

    city._act = repeating
    notes, _ = await told(city, 5)
    assert any("was answered with version" in line for line in notes.impossible)


def test_everything_that_is_drawn_is_a_step_of_the_table() -> None:
    acts = {act.value for act in Act}
    for status, choices in CHOICES.items():
        assert set(choices) <= acts
        assert all((status, Act(act)) in STEPS for act in choices)
        assert sum(choices.values()) == 100


async def test_the_journal_is_what_verify_looks_for(city: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal"
    with _journal(file) as note:
        await told(city, 5, journal=note)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["order_id"] for line in lines} == set(city.orders)
    with file.open("a") as opened:
        opened.write('{"order_id": "o-1", "ver')
    noted = list(_acknowledged(file))
    assert len(noted) == len(lines)
    assert noted[0] == (lines[0]["order_id"], 1, "linework.work_order.created.v1")


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    file.write_text("no\njournal\n")
    with pytest.raises(Stopped, match="line 1 cannot be read"):
        list(_acknowledged(file))
    with pytest.raises(Stopped, match="cannot be read"):
        list(_acknowledged(tmp_path / "nowhere"))
