"""Jobs that work in rounds: what passes is waited out, and nothing else is."""

import asyncio
import logging

import pytest

from chassis.jobs import repeat


class _Stop(Exception):
    """Ends a job from within its rest."""


def _rests(times: int) -> tuple[list[float], object]:
    taken: list[float] = []

    async def rest(seconds: float) -> None:
        taken.append(seconds)
        if len(taken) == times:
            raise _Stop

    return taken, rest


async def test_a_job_rests_after_each_round() -> None:
    rounds = 0

    async def one_round() -> None:
        nonlocal rounds
        rounds += 1

    taken, rest = _rests(3)
    with pytest.raises(_Stop):
        await repeat("counting", one_round, seconds=5.0, rest=rest)
    assert (rounds, taken) == (3, [5.0, 5.0, 5.0])


async def test_a_failure_that_passes_is_logged_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    async def one_round() -> None:
        raise ConnectionRefusedError("the database is away")

    taken, rest = _rests(2)
    with caplog.at_level(logging.WARNING), pytest.raises(_Stop):
        await repeat("counting", one_round, seconds=1.0, rest=rest)
    assert taken == [1.0, 1.0]
    assert caplog.messages == ["counting failed, retrying: ConnectionRefusedError: the database is away"] * 2


async def test_any_other_failure_ends_the_job() -> None:
    async def one_round() -> None:
        raise ValueError("a mistake in the code")

    with pytest.raises(ValueError, match="a mistake"):
        await repeat("counting", one_round, seconds=1.0, rest=asyncio.sleep)
