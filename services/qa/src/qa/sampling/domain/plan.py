"""A sampling plan: the period, the strata with their quotas, what is always taken, and what weighs more.

The plan and the SHA-256 of its seed are published before the period ends; from then on a change of
either is visible to all. The seed is published at the draw.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from contracts.directory import Names
from contracts.quality import SampleDrawn, SamplingPlanCommitted
from contracts.refusals import Conflict, Invalid
from qa.sampling.domain.draw import ALGORITHM, Drawn, Unit, draw

_LARGEST_SIZE = 1_000_000


class PeriodInverted(Invalid):
    """The period ends at {end:time}, not after its start at {start:time}."""

    zh = "抽样期间的结束时间 {end:time}不晚于开始时间 {start:time}。"


class PeriodHasEnded(Conflict):
    """The period ended at {ended_at:time}; a seed must be fixed before the end."""

    zh = "抽样期间已于 {ended_at:time}结束；种子须在结束前确定。"


class PeriodStillRuns(Conflict):
    """The period runs until {ends_at:time}; the sample can be drawn afterwards."""

    zh = "抽样期间至 {ends_at:time}才结束，结束后方可抽取样本。"


class SampleAlreadyDrawn(Conflict):
    """The sample of this plan was already drawn at {drawn_at:time}."""

    zh = "该计划的样本已于 {drawn_at:time}抽取。"


class SampleNotDrawn(Conflict):
    """The sample of this plan is not drawn yet."""

    zh = "该计划的样本尚未抽取。"


class StratumNamedTwice(Invalid):
    """The stratum {stratum} appears twice."""

    zh = "分层 {stratum} 重复。"


class RangeInverted(Invalid):
    """In {place} the minimum {quantity} is not below the maximum."""

    zh = "{place} 中{quantity}的下限不小于上限。"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """What is known of a recording when the sample is drawn; kept with the sample, so that it can be drawn again."""

    recording_id: str
    agent_id: str
    queue: str | None = None
    channel: str | None = None
    direction: str | None = None
    demand_type: str | None = None
    length_seconds: int = 0
    seniority_months: int | None = None


_FACTS = tuple(field.name for field in fields(RecordingFacts))
_COMPACT_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which recordings are meant; what is left out or empty does not narrow, and an unknown fact does not fit."""

    agents: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    demand_types: tuple[str, ...] = ()
    length_from_seconds: int | None = None
    length_below_seconds: int | None = None
    seniority_from_months: int | None = None
    seniority_below_months: int | None = None

    def fits(self, facts: RecordingFacts) -> bool:
        return (
            _among(facts.agent_id, self.agents)
            and _among(facts.queue, self.queues)
            and _among(facts.channel, self.channels)
            and _among(facts.demand_type, self.demand_types)
            and _within(facts.length_seconds, self.length_from_seconds, self.length_below_seconds)
            and _within(facts.seniority_months, self.seniority_from_months, self.seniority_below_months)
        )

    def may_fit(self, agent_id: str, seniority_months: int | None) -> bool:
        """Whether a recording of the agent can be meant."""
        return _among(agent_id, self.agents) and _within(
            seniority_months, self.seniority_from_months, self.seniority_below_months
        )

    def check(self, place: Names) -> None:
        """Raises `RangeInverted`."""
        for quantity, low, high in (
            (Names("length", "时长"), self.length_from_seconds, self.length_below_seconds),
            (Names("seniority", "工龄"), self.seniority_from_months, self.seniority_below_months),
        ):
            if low is not None and high is not None and low >= high:
                raise RangeInverted(place=place, quantity=quantity)


def _among(fact: str | None, wanted: Sequence[str]) -> bool:
    return not wanted or fact in wanted


def _within(fact: int | None, low: int | None, high: int | None) -> bool:
    if low is None and high is None:
        return True
    return fact is not None and (low is None or fact >= low) and (high is None or fact < high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Of the recordings of each agent that fit, so many are drawn. The first stratum that fits takes a recording."""

    stratum: str
    quota_per_agent: int
    where: Where = Where()


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWeight:
    """A recording that fits is so many times as likely to be drawn as it would be; weights multiply."""

    factor: int
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContent:
    """What is committed to: everything that decides which recordings are drawn."""

    period_start: datetime
    period_end: datetime
    """The first moment that no longer belongs to it. A recording belongs to the period in which it began."""
    strata: tuple[Stratum, ...]
    mandatory: tuple[Where, ...] = ()
    """Recordings that are always evaluated, beside the quotas."""
    risk_weights: tuple[RiskWeight, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSummary:
    """What the draw came to, for people; the rows are in the sample itself."""

    drawn_at: datetime
    seed: str
    algorithm: str
    frame_digest: str
    frame_count: int
    sample_count: int
    mandatory_count: int
    uncovered_count: int
    """Recordings that fit no stratum, or one with a quota of 0: they had no chance, and no figure speaks for them."""
    short_strata: tuple[str, ...]
    """Strata with fewer recordings than their quota, such as `long/agent-7`: all of these are in the sample, also where
    there are none. Without an agent, such as `long`, a stratum without any recording at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    id: str
    version: int
    name: str
    content: PlanContent
    plan_digest: str
    seed_digest: str
    double_blind_every: int
    """Every so many-th recording of the sample is evaluated by two auditors who do not see each other; 0: none."""
    committed_at: datetime
    committed_by: str
    drawn: DrawnSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """A recording of the frame: its facts, its stratum, its chance and whether it was drawn."""

    facts: RecordingFacts
    stratum: str | None
    size: int
    is_mandatory: bool
    numerator: int
    denominator: int
    is_drawn: bool


def canonical(value: Any) -> bytes:
    """The one form that digests are taken of: JSON with sorted keys, no spaces, UTF-8, UTC times ending in Z."""
    return _COMPACT_JSON(_plain(value)).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def digest_of(content: PlanContent) -> str:
    return hashlib.sha256(canonical(asdict(content))).hexdigest()


def frame_digest_of(frame: Iterable[RecordingFacts]) -> str:
    """SHA-256 over the facts of every recording in the order of their ids, a line each."""
    digest = hashlib.sha256()
    for facts in sorted(frame, key=lambda facts: facts.recording_id):
        # Every value is a text, a number or nothing: as it stands, it is canonical.
        line = _COMPACT_JSON({name: getattr(facts, name) for name in _FACTS})
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def commit(
    plan_id: str, name: str, content: PlanContent, *, seed: bytes, double_blind_every: int, by: str, now: datetime
) -> tuple[SamplingPlan, SamplingPlanCommitted]:
    """Fixes plan and seed; raises `PeriodInverted`, `PeriodHasEnded`, `StratumNamedTwice` or `RangeInverted`."""
    _check(content, now)
    plan = SamplingPlan(
        id=plan_id,
        version=1,
        name=name,
        content=content,
        plan_digest=digest_of(content),
        seed_digest=hashlib.sha256(seed).hexdigest(),
        double_blind_every=double_blind_every,
        committed_at=now,
        committed_by=by,
    )
    return plan, SamplingPlanCommitted(
        plan_id=plan_id,
        plan_digest=plan.plan_digest,
        seed_digest=plan.seed_digest,
        period_start=content.period_start,
        period_end=content.period_end,
    )


def _check(content: PlanContent, now: datetime) -> None:
    if content.period_end <= content.period_start:
        raise PeriodInverted(start=content.period_start, end=content.period_end)
    if content.period_end <= now:
        raise PeriodHasEnded(ended_at=content.period_end)
    seen: set[str] = set()
    for stratum in content.strata:
        if stratum.stratum in seen:
            raise StratumNamedTwice(stratum=stratum.stratum)
        seen.add(stratum.stratum)
        stratum.where.check(Names(f"stratum {stratum.stratum}", f"分层 {stratum.stratum}"))
    for place, where in enumerate(content.mandatory, start=1):
        where.check(Names(f"mandatory set {place}", f"必抽条件 {place}"))
    for place, weight in enumerate(content.risk_weights, start=1):
        weight.where.check(Names(f"risk weight {place}", f"风险权重 {place}"))


def draw_sample(
    plan: SamplingPlan,
    frame: Sequence[RecordingFacts],
    seed: bytes,
    *,
    seniority: Mapping[str, int] = {},
    now: datetime,
) -> tuple[SamplingPlan, list[FrameRow], SampleDrawn]:
    """Draws once, after the period; raises `SampleAlreadyDrawn` or `PeriodStillRuns`.

    `seniority` has the months of every agent who works here, so that agents without a recording are named too.
    """
    if plan.drawn is not None:
        raise SampleAlreadyDrawn(drawn_at=plan.drawn.drawn_at)
    if now < plan.content.period_end:
        raise PeriodStillRuns(ends_at=plan.content.period_end)
    rows = rows_of(plan.content, frame, seed)
    summary = _summary(plan.content, rows, seed, seniority, now)
    return (
        replace(plan, version=plan.version + 1, drawn=summary),
        rows,
        SampleDrawn(
            plan_id=plan.id,
            plan_digest=plan.plan_digest,
            seed=summary.seed,
            algorithm=ALGORITHM,
            frame_digest=summary.frame_digest,
            frame_count=summary.frame_count,
            sample_count=summary.sample_count,
        ),
    )


def rows_of(content: PlanContent, frame: Sequence[RecordingFacts], seed: bytes) -> list[FrameRow]:
    """The frame with the chance and luck of every recording, in the order of ids."""
    units = {facts.recording_id: _unit(content, facts) for facts in frame}
    luck = {one.recording_id: one for one in draw((unit for unit in units.values() if unit is not None), seed)}
    return [
        _row(facts, units[facts.recording_id], luck.get(facts.recording_id))
        for facts in sorted(frame, key=lambda facts: facts.recording_id)
    ]


def _unit(content: PlanContent, facts: RecordingFacts) -> Unit | None:
    is_mandatory = any(where.fits(facts) for where in content.mandatory)
    stratum = next((stratum for stratum in content.strata if stratum.where.fits(facts)), None)
    if stratum is None and not is_mandatory:
        return None
    return Unit(
        recording_id=facts.recording_id,
        stratum=f"{stratum.stratum}/{facts.agent_id}" if stratum else "",
        size=_size(content.risk_weights, facts),
        quota=stratum.quota_per_agent if stratum else 0,
        is_mandatory=is_mandatory,
    )


def _size(weights: Iterable[RiskWeight], facts: RecordingFacts) -> int:
    size = 1
    for weight in weights:
        if weight.where.fits(facts):
            size = min(size * weight.factor, _LARGEST_SIZE)
    return size


def _row(facts: RecordingFacts, unit: Unit | None, luck: Drawn | None) -> FrameRow:
    if unit is None or luck is None:
        return FrameRow(
            facts=facts, stratum=None, size=1, is_mandatory=False, numerator=0, denominator=1, is_drawn=False
        )
    return FrameRow(
        facts=facts,
        stratum=luck.stratum,
        size=unit.size,
        is_mandatory=unit.is_mandatory,
        numerator=luck.numerator,
        denominator=luck.denominator,
        is_drawn=luck.is_drawn,
    )


def _summary(
    content: PlanContent, rows: Sequence[FrameRow], seed: bytes, seniority: Mapping[str, int], now: datetime
) -> DrawnSummary:
    return DrawnSummary(
        drawn_at=now,
        seed=seed.hex(),
        algorithm=ALGORITHM,
        frame_digest=frame_digest_of(row.facts for row in rows),
        frame_count=len(rows),
        sample_count=sum(row.is_drawn for row in rows),
        mandatory_count=sum(row.is_mandatory for row in rows),
        uncovered_count=sum(row.numerator == 0 for row in rows),
        short_strata=tuple(sorted(_short_strata(content, rows, seniority))),
    )


def _short_strata(content: PlanContent, rows: Sequence[FrameRow], seniority: Mapping[str, int]) -> Iterable[str]:
    counts = Counter(row.stratum for row in rows if row.stratum is not None and not row.is_mandatory)
    agents: dict[str, int | None] = dict(seniority)
    for row in rows:
        agents.setdefault(row.facts.agent_id, row.facts.seniority_months)
    for stratum in content.strata:
        wanted = {
            f"{stratum.stratum}/{agent}": stratum.where.may_fit(agent, months) for agent, months in agents.items()
        }
        if stratum.quota_per_agent and not any(counts[name] for name in wanted):
            yield stratum.stratum
            continue
        for name, may_fit in wanted.items():
            if counts[name] < stratum.quota_per_agent and (may_fit or counts[name]):
                yield name


def double_blind_of(plan: SamplingPlan, rows: Iterable[FrameRow], seed: bytes) -> set[str]:
    """Which recordings of the sample two auditors evaluate: by the seed as well, so that no person picks them."""
    if plan.double_blind_every == 0:
        return set()
    drawn = [row.facts.recording_id for row in rows if row.is_drawn]
    ordered = sorted(drawn, key=lambda one: hmac.digest(seed, f"double-blind\n{one}".encode(), hashlib.sha256))
    return set(ordered[:: plan.double_blind_every])
