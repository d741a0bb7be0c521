"""`linework redraw` is written apart from qa: both must draw the same, and any change must show."""

import copy
import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linework.verify_sample import differences
from qa.sampling.domain.plan import (
    PlanContent,
    RecordingFacts,
    RiskWeight,
    SamplingPlan,
    Stratum,
    Where,
    commit,
    draw_sample,
)

NAMES = st.sampled_from(["a", "b", "质检", "c-1"])
RANGES = st.tuples(st.none() | st.integers(0, 50), st.none() | st.integers(51, 90))


@st.composite
def wheres(draw) -> Where:
    (low, high), (young, old) = draw(RANGES), draw(RANGES)
    return Where(
        agents=tuple(draw(st.lists(NAMES, max_size=2))),
        queues=tuple(draw(st.lists(NAMES, max_size=2))),
        channels=tuple(draw(st.lists(NAMES, max_size=1))),
        demand_types=tuple(draw(st.lists(NAMES, max_size=2))),
        length_from_seconds=low,
        length_below_seconds=high,
        seniority_from_months=young,
        seniority_below_months=old,
    )


@st.composite
def frames(draw) -> list[RecordingFacts]:
    return [
        RecordingFacts(
            recording_id=f"rec-{number}",
            agent_id=draw(NAMES),
            queue=draw(st.none() | NAMES),
            channel=draw(NAMES),
            demand_type=draw(st.none() | NAMES),
            length_seconds=draw(st.integers(0, 100)),
            seniority_months=draw(st.none() | st.integers(0, 100)),
        )
        for number in range(draw(st.integers(0, 40)))
    ]


CONTENTS = st.builds(
    PlanContent,
    period_start=st.just(datetime(2026, 3, 1, tzinfo=UTC)),
    period_end=st.just(datetime(2026, 3, 8, tzinfo=UTC)),
    strata=st.lists(
        st.builds(Stratum, stratum=NAMES, quota_per_agent=st.integers(0, 5), where=wheres()), max_size=3
    ).map(lambda strata: (*{one.stratum: one for one in strata}.values(), Stratum(stratum="rest", quota_per_agent=2))),
    mandatory=st.lists(wheres(), max_size=1).map(tuple),
    risk_weights=st.lists(st.builds(RiskWeight, factor=st.integers(1, 1000), where=wheres()), max_size=3).map(tuple),
)


def published(content: PlanContent, frame: list[RecordingFacts], seed: bytes) -> tuple[Any, list[Any]]:
    """A drawn plan and its frame as the API shows them."""
    plan: SamplingPlan
    plan, _ = commit(
        "plan-1", "x", content, seed=seed, double_blind_every=0, by="s", now=datetime(2026, 3, 2, tzinfo=UTC)
    )
    drawn, rows, _ = draw_sample(plan, frame, seed, now=datetime(2026, 3, 9, tzinfo=UTC))
    return json.loads(msgspec.json.encode(drawn)), json.loads(msgspec.json.encode([asdict(row) for row in rows]))


@given(content=CONTENTS, frame=frames(), seed=st.binary(min_size=32, max_size=32))
@settings(max_examples=150, deadline=None)
def test_a_sample_drawn_again_apart_is_the_same(content: PlanContent, frame: list[RecordingFacts], seed: bytes) -> None:
    assert differences(*published(content, frame, seed)) == []


def _flip(plan: Any, frame: list[Any]) -> None:
    frame[0]["is_drawn"] = not frame[0]["is_drawn"]


def _other_seed(plan: Any, frame: list[Any]) -> None:
    plan["drawn"]["seed"] = "00" * 32


def _other_quota(plan: Any, frame: list[Any]) -> None:
    plan["content"]["strata"][0]["quota_per_agent"] = 3


def _without_one(plan: Any, frame: list[Any]) -> None:
    frame.pop()


def _longer_call(plan: Any, frame: list[Any]) -> None:
    frame[0]["facts"]["length_seconds"] += 1


def _other_chance(plan: Any, frame: list[Any]) -> None:
    frame[0]["denominator"] += 1


@pytest.mark.parametrize(
    "forge", [_flip, _other_seed, _other_quota, _without_one, _longer_call, _other_chance], ids=lambda one: one.__name__
)
def test_whatever_is_forged_shows(forge) -> None:
    content = PlanContent(
        period_start=datetime(2026, 3, 1, tzinfo=UTC),
        period_end=datetime(2026, 3, 8, tzinfo=UTC),
        strata=(Stratum(stratum="all", quota_per_agent=4),),
    )
    frame = [RecordingFacts(recording_id=f"rec-{number}", agent_id="a") for number in range(20)]
    plan, rows = published(content, frame, hashlib.sha256(b"seed").digest())
    assert differences(plan, rows) == []
    assert differences(plan, rows, committed=plan["seed_digest"]) == []
    assert len(differences(plan, rows, committed="00" * 32)) == 1
    forged, forged_rows = copy.deepcopy(plan), copy.deepcopy(rows)
    forge(forged, forged_rows)
    assert differences(forged, forged_rows) != []
