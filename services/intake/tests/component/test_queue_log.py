"""From a switch's queue_log to `calls`: what is published equals an independent count of the file."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.database import Database
from contracts import calls as c
from contracts.message import Message
from linework.bridge.reading import QueueLogs, ReadingSummary

from .queue_log_count import count
from .switch import Switch

REAL = Path(__file__).parents[5] / "shared" / "data" / "asterisk-queue_log"
AGENTS = [f"Agent/{number}" for number in range(101, 106)]


@pytest.fixture
async def switch(new_database: Callable[[str], str]) -> AsyncIterator[Switch]:
    db = Database(new_database("intake"))
    yield Switch(db, "asterisk")
    await db.close()


def a_made_log(seed: int, calls: int = 120) -> list[str]:
    """A log as Asterisk writes it, by dice: every way for a stay to end, and a switch that dies in the middle."""
    dice = random.Random(seed)
    lines: list[tuple[float, str]] = []
    start, death = 1_795_400_000, 1_795_400_000 + calls * 5
    for number in range(calls):
        at = start + number * 10
        call, queue = f"{at}.{number}", dice.choice(["support", "complaints", "夜间"])
        agent, wait, talk = dice.choice(AGENTS), dice.randint(0, 40), dice.randint(0, 90)
        lines.append((at, f"{at}|{call}|{queue}|NONE|ENTERQUEUE||138{number:08}|1"))
        if dice.random() < 0.3:
            lines.append((at + 1, f"{at + 1}|{call}|{queue}|{agent}|RINGNOANSWER|{dice.choice([1000, 7000])}"))
        left = at + wait
        ways = ["ABANDON|1|1|{wait}", "EXITWITHTIMEOUT|1|1|{wait}", "EXITEMPTY|1|1|{wait}", "EXITWITHKEY|5|1|1|{wait}"]
        if dice.random() < 0.3:
            lines.append((left, f"{left}|{call}|{queue}|NONE|{dice.choice(ways).format(wait=wait)}"))
            continue
        lines.append((left, f"{left}|{call}|{queue}|{agent}|CONNECT|{wait}|{call}9|{min(wait, 4)}"))
        ends = [
            "COMPLETEAGENT|{wait}|{talk}|1",
            "COMPLETECALLER|{wait}|{talk}|1",
            "BLINDTRANSFER|900|default|{wait}|{talk}|1",
            "ATTENDEDTRANSFER|BRIDGE|b-1|{wait}|{talk}|1",
        ]
        end = dice.choice(ends).format(wait=wait, talk=talk)
        lines.append((left + talk, f"{left + talk}|{call}|{queue}|{agent}|{end}"))
    lines.sort(key=lambda line: line[0])
    # What stood between the death and the new start was never written: those stays have no end.
    kept = [text for at, text in lines if not death <= at < death + 60]
    cut = next(place for place, text in enumerate(kept) if int(text.split("|")[0]) >= death + 60)
    restart = f"{death + 59}|NONE|NONE|NONE|QUEUESTART|"
    after = [text for text in kept[cut:] if float(text.split("|")[1]) >= death + 60]
    return [f"{start - 1}|NONE|NONE|NONE|QUEUESTART|", *kept[:cut], restart, *after]


def published_figures(messages: Sequence[Message]) -> dict[str, Any]:
    """The same figures, of what `calls` says at last of each fact."""
    latest = {(message.subject, message.body.fact_id): (message.subject, message.body) for message in messages}
    facts = [(call, body) for call, body in latest.values() if isinstance(body, c.Fact)]

    def of(kind: type) -> list[Any]:
        return [body for _, body in facts if isinstance(body, kind)]

    ended, lost = of(c.CallEnded), of(c.CallLost)
    dead = c.EndReason.SWITCH_STOPPED
    whole = [one for one in ended if one.reason is not dead]
    left = [one for one in lost if one.reason is not c.LossReason.SWITCH_STOPPED]
    answered, queued = of(c.CallAnswered), of(c.CallQueued)
    closed = {(call, one.leg) for call, one in facts if isinstance(one, c.CallEnded | c.CallTransferred)}
    gone = closed | {(call, one.leg) for call, one in facts if isinstance(one, c.CallAbandoned | c.CallLost)}
    picked = {(call, one.leg) for call, one in facts if isinstance(one, c.CallAnswered)}
    return {
        "calls": len(of(c.CallOffered)),
        "queued": len(queued),
        "answered": len(answered),
        "completed": len(whole),
        "transferred": len(of(c.CallTransferred)),
        "abandoned": len(of(c.CallAbandoned)),
        "lost": len(left),
        "rang unanswered": len(of(c.CallRangUnanswered)),
        "still waiting": len({(call, one.leg) for call, one in facts if isinstance(one, c.CallQueued)} - gone - picked),
        "still talking": len(picked - closed),
        "answer wait": sum(one.wait_milliseconds for one in answered) // 1000,
        "answered within 20": sum(one.wait_milliseconds <= 20_000 for one in answered),
        "talk": sum(one.talk_milliseconds for one in [*whole, *of(c.CallTransferred)]) // 1000,
        "abandon wait": sum(one.wait_milliseconds for one in of(c.CallAbandoned)) // 1000,
        "lost wait": sum(one.wait_milliseconds for one in left) // 1000,
        "ring milliseconds": sum(one.ring_milliseconds for one in of(c.CallRangUnanswered)),
        "lost with the switch": len(lost) - len(left),
        "cut off": len(ended) - len(whole),
        "by agent": dict(sorted(Counter(one.agent_id for one in answered).items())),
        "by queue": dict(sorted(Counter(one.queue for one in queued).items())),
    }


async def deliver(switch: Switch, folder: Path, *logs: Sequence[str], batch: int = 100) -> ReadingSummary:
    """The logs, as rotated files, through the bridge and intake's consumer."""

    class ToIntake:
        async def send(self, messages: Sequence[Message]) -> None:
            for start in range(0, len(messages), batch):
                await switch.says(*messages[start : start + batch])

    paths = [folder / f"queue_log.{number}" for number in range(len(logs))]
    for path, lines in zip(paths, logs, strict=True):
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    summary = ReadingSummary()
    await QueueLogs(paths, switch.partner_id, folder / "cursor", summary).deliver(ToIntake())
    return summary


async def check(switch: Switch, lines: Sequence[str]) -> None:
    assert await switch.refusals() == []
    assert published_figures(await switch.published("calls")) == count(f"{line}\n" for line in lines)


@pytest.mark.skipif(not REAL.exists(), reason="the real queue_log is not beside this checkout")
async def test_what_a_real_switch_wrote_is_published_to_the_last_second(switch: Switch, tmp_path: Path) -> None:
    lines = REAL.read_text(encoding="utf-8").splitlines()
    summary = await deliver(switch, tmp_path, lines)
    await check(switch, lines)
    assert (summary.unknown_verbs, summary.odd_lines) == ({}, [])


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_log_in_whose_middle_the_switch_died_is_published_as_it_is_counted(
    switch: Switch, tmp_path: Path, seed: int
) -> None:
    lines = a_made_log(seed)
    await deliver(switch, tmp_path, lines)
    figures = count(f"{line}\n" for line in lines)
    assert figures["lost with the switch"] or figures["cut off"]
    await check(switch, lines)


async def test_the_same_log_read_twice_and_rotated_in_between_counts_once(switch: Switch, tmp_path: Path) -> None:
    lines = a_made_log(4)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    await deliver(switch, first, lines[:150])
    await deliver(switch, second, lines[100:], lines[:100], batch=7)
    await check(switch, lines)
