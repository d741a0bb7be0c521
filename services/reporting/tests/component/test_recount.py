"""Every figure of reporting equals the recount of the raw messages, whatever happened to orders, calls and agents."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st
from services.reporting.tests.world import NEW_YEAR, world

from contracts.lifecycle import Status
from linework.recount import Asked, Recount, differences
from reporting.figures.summing import KINDS, sum_some
from reporting.metrics import METRICS, Dimension

PARAMETERS = {"silent_after_seconds": [300, 3_600, 14_400, 86_400], "three_rings_seconds": [1, 15, 30]}
GRAINS = ("hour", "day", "week", "month", "quarter", "year")


def questions(metric, chance):
    """Whole, in somebody's areas, and by some dimensions and grains in some zone; over the examples by all of them."""
    yield Asked(metric=metric.id, version=metric.version)
    if Dimension.WORK_AREA in metric.dimensions:
        yield Asked(metric=metric.id, version=metric.version, areas=("N", "S"))
    for dimension in chance.sample(metric.dimensions, 2):
        yield Asked(metric=metric.id, version=metric.version, group_by=(dimension.value,))
    if metric.has_periods:
        grain, zone = chance.choice(GRAINS), chance.choice(["Asia/Shanghai", "Asia/Kolkata", "America/New_York"])
        begin = NEW_YEAR + chance.choice([timedelta(), timedelta(days=3, hours=1)])
        group_by = (chance.choice(metric.dimensions).value,)
        yield Asked(
            metric=metric.id,
            version=metric.version,
            grain=grain,
            time_zone=zone,
            begin=begin,
            group_by=group_by,
            parameters={name: chance.choice(PARAMETERS.get(name, [0, 5, 20])) for name in metric.parameters},
        )


def whole_days(metric, chance):
    """A figure that is put together from sums of days."""
    if metric.has_periods:
        begin = datetime(2025, 12, 28, tzinfo=ZoneInfo("Asia/Shanghai"))
        grain = chance.choice([None, "day", "week", "month", "quarter", "year"])
        group_by = chance.choice([(), (chance.choice(metric.dimensions).value,)])
        end = begin + timedelta(days=40)
        yield Asked(metric=metric.id, version=metric.version, grain=grain, begin=begin, end=end, group_by=group_by)
        if Dimension.WORK_AREA in metric.dimensions:
            areas = ("N", "E")
            yield Asked(metric=metric.id, version=metric.version, grain="day", begin=begin, end=end, areas=areas)


# Every metric in every version over worlds of its own: minutes on a busy machine.
@pytest.mark.timeout(600)
@hypothesis.given(seed=st.integers(0, 2**32))
@hypothesis.settings(
    max_examples=4,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
async def test_every_figure_equals_its_recount_from_the_raw_events(reporting, make_stream, empty, seed):
    await empty()
    chance = random.Random(seed)
    streams = world(make_stream, chance, orders=20, calls=40)
    messages = [message for stream in streams for message in stream.messages]
    asked_before = [asked for metric in METRICS for asked in whole_days(metric, chance)]
    while messages:
        size = chance.randint(1, 60)
        await reporting.receive(*messages[:size])
        messages = messages[size:]
        for asked in chance.sample(asked_before, 5):  # sums of days are kept, and must not outlive what changes them
            await reporting.get(f"/figures/{asked.metric}", "supervisor", **asked.query)
        await sum_some(reporting.db, chance.choice(KINDS), now=datetime.now(UTC))
    await _sum_all(reporting)
    recount = Recount()
    recount.take(message for stream in streams for message in stream.messages)
    for metric in METRICS:
        for asked in questions(metric, chance):
            await _hold(reporting, recount, asked)
    for asked in [*asked_before, *asked_before]:
        await _hold(reporting, recount, asked)


async def _sum_all(reporting) -> None:
    for alike in KINDS:
        while await sum_some(reporting.db, alike, now=datetime.now(UTC)):
            pass


async def _hold(reporting, recount: Recount, asked: Asked, **more) -> None:
    areas = list(asked.areas) if asked.areas else None
    answer = await reporting.get(f"/figures/{asked.metric}", "supervisor", areas, **asked.query, **more)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert differences(asked, shown["rows"], recount.rows(asked, shown)) == []


async def test_a_figure_as_of_a_past_moment_equals_a_recount_of_what_was_recorded_by_then(reporting, make_stream):
    chance = random.Random(5)
    streams = world(make_stream, chance, orders=40, calls=60)
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    for hours in (0, 1, 30, 200, 6_000):
        as_of = NEW_YEAR + timedelta(hours=hours, minutes=7)
        recount = Recount()
        for stream in streams:
            recount.take(stream.messages, as_of=as_of)
        for metric in METRICS:
            # So long that some limits are near at each of these moments.
            parameters = {"near_seconds": 400_000} if "near_seconds" in metric.parameters else {}
            asked = Asked(
                metric=metric.id,
                version=metric.version,
                group_by=(metric.dimensions[-1].value,),
                parameters=parameters,
            )
            await _hold(reporting, recount, asked, as_of=as_of.isoformat())


async def test_a_recount_is_equal_after_an_operator_has_changed_the_rules_of_figures(reporting, make_stream):
    chance = random.Random(11)
    streams = world(make_stream, chance, orders=30, calls=60)
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    await reporting.rows(
        """update figure_rules set threshold_seconds = 3, short_seconds = 1, near_seconds = 4000000,
               silent_after_seconds = 900, three_rings_seconds = 30, time_zone = 'Asia/Kolkata'"""
    )
    recount = Recount()
    recount.take(message for stream in streams for message in stream.messages)
    for metric in METRICS:
        grain = "day" if metric.has_periods else None
        await _hold(reporting, recount, Asked(metric=metric.id, version=metric.version, grain=grain))


async def test_the_recount_finds_what_is_wrong_with_a_figure(reporting, make_stream):
    streams = [make_stream(f"o-{number}", Status.ARCHIVED) for number in range(3)]
    await reporting.receive(*(message for stream in streams for message in stream.messages))
    recount = Recount()
    recount.take(message for stream in streams for message in stream.messages)
    asked = Asked(metric="work_orders", group_by=("status",))
    await _hold(reporting, recount, asked)
    await reporting.rows("update stays_a set status = 'cancelled' where order_id = 'o-1' and until_version is null")
    shown = (await reporting.get("/figures/work_orders", "operator", group_by="status")).json()
    assert differences(asked, shown["rows"], recount.rows(asked, shown)) == [
        "work_orders by status: archived: numerator is 2, the recount gives 3",
        "work_orders by status: archived: value is 2, the recount gives 3",
        "work_orders by status: cancelled: is not in the recount",
    ]
