"""Metrics of calls by who handled them: an unanswered call belongs to no agent.

The first versions (`calls`) count a leg under any agent that a fact of it names, also one at whom it only rang.
Talk, hold, after-call work and handle time of answered inbound calls stand apart from those of outbound ones here,
and a leg whose end is not known counts in none of them. What rang and was not answered has figures of its own.
"""

from dataclasses import replace

from reporting.metrics.calls import ANSWERED, INBOUND, LEGS, of_calls
from reporting.metrics.calls import METRICS as FIRST_VERSIONS
from reporting.metrics.durations import PERCENTILES
from reporting.metrics.metric import Dimension, Metric, MetricKind, Source

HANDLED_LEGS = replace(LEGS, columns={Dimension.AGENT: "handler_id", Dimension.TEAM: "handler_team"})

_ELAPSED_US = "(extract(epoch from ended_at - answered_at) * 1000000)::bigint"
HANDLED_US = f"(talk_us + coalesce(hold_us, greatest({_ELAPSED_US} - talk_us, 0), 0) + coalesce(work_us, 0))"
"""Talk, hold and after-call work; null while the talk is not known.

Where a switch tells no hold, talk and hold are known together: they last from the answer to the end."""

_BY_HANDLER = "an unanswered inbound leg is under no agent and no team"
_TALKED = "ended_at is not null and answered_at is not null"
_IN = f"{INBOUND} and {ANSWERED} and {_TALKED}"
_OUT = f"direction = 'outbound' and {_TALKED}"
_END_UNKNOWN = "a leg whose end is not known, or whose needed duration the switch did not report, counts in neither"
_DIRECTIONS = ("inbound", "outbound")
_REDEFINED = ("talk_time", "hold_time", "after_call_work", "handle_time")


def _by_handler(metric: Metric) -> Metric:
    formula = f"{metric.formula}; {_BY_HANDLER}"
    return replace(metric, version=metric.version + 1, source=HANDLED_LEGS, formula=formula)


def _time(metric_id: str, version: int, names: tuple[str, str], what: str, numerator: str, where: str) -> Metric:
    return of_calls(
        id=metric_id,
        version=version,
        kind=MetricKind.DISTRIBUTION,
        unit="seconds",
        name_en=names[0],
        name_zh=names[1],
        formula=f"mean {what}, by the moment of the offer; {_END_UNKNOWN} and is shown as unknown; {PERCENTILES}",
        source=HANDLED_LEGS,
        where=where,
        numerator=numerator,
    )


def _of_both(metric_id: str, names: tuple[str, str], what: str, numerator: str, where: str = "") -> tuple[Metric, ...]:
    """A time of answered inbound legs, and the same of outbound ones under an id of its own."""
    outbound = (f"Outbound {names[0][0].lower()}{names[0][1:]}", f"呼出{names[1]}")
    inbound_legs, outbound_legs = (f"{what} of {kind} legs that were answered and are over" for kind in _DIRECTIONS)
    return (
        _time(metric_id, 2, names, inbound_legs, numerator, f"{_IN}{where}"),
        _time(f"outbound_{metric_id}", 1, outbound, outbound_legs, numerator, f"{_OUT}{where}"),
    )


_TIMES = (
    *_of_both("talk_time", ("Talk", "通话时长"), "talk without holds", "talk_us"),
    *_of_both("hold_time", ("Hold", "保持时长"), "hold", "case when talk_us is not null then hold_us end"),
    *_of_both(
        "after_call_work",
        ("After-call work", "话后处理时长"),
        "after-call work, where there was some,",
        "case when not is_end_unknown then work_us end",
        " and work_us is not null",
    ),
    *_of_both(
        "handle_time",
        ("Average handle time", "平均处理时长"),
        "talk + hold + after-call work (where the switch tells no hold: from the answer to the end, + after-call work)",
        HANDLED_US,
    ),
)

_RING = "call_id, leg, known_at, moment, direction, channel, queue, {}, {}, demand_type, ring_us, faults"
RINGS = Source(
    name="rings at agents: those that were answered, and those that were not",
    table="rings",
    subject="call_id",
    moment="moment",
    known="true",
    known_at="known_at",
    late=LEGS.late,
    versions=(),
    key=("call_id", "ring"),
    inputs=LEGS.inputs,
    is_refolded=True,
    has_marks=True,
    # Of one call no two numbers are the same: those of answered legs are even.
    relation=f"""(
        select {_RING.format("agent_id", "team")}, version * 2 + 1 as ring, false as is_answered
        from {{table}} as unanswered
        union all
        select {_RING.format("handler_id", "handler_team")}, leg * 2, true
        from {{legs}} as answered where answered_at is not null
    )""",
)
_LONG_ENOUGH = "ring_us >= {three_rings_seconds} * 1000000::bigint"
_SOON_ENOUGH = "ring_us <= {three_rings_seconds} * 1000000::bigint"
_OF_RINGS = "by the moment at which their leg was offered; rings whose length was not reported are shown as unknown"

_RINGS = (
    of_calls(
        id="rang_not_answered",
        kind=MetricKind.COUNT,
        unit="rings",
        name_en="Rang, not answered",
        name_zh="振铃未接",
        formula=(
            "count of the times an inbound leg rang at an agent for at least three_rings_seconds and they did not"
            f" answer, {_OF_RINGS}"
        ),
        source=RINGS,
        where="direction = 'inbound' and not is_answered",
        numerator=f"({_LONG_ENOUGH})::int",
        parameters=("three_rings_seconds",),
    ),
    of_calls(
        id="answered_in_three_rings",
        kind=MetricKind.RATIO,
        unit="share",
        name_en="Answered within three rings",
        name_zh="三声接听率",
        formula=(
            "inbound legs that an agent answered after at most three_rings_seconds of ringing / those that rang at an"
            " agent and were answered, or rang for at least three_rings_seconds and were not; counted "
            f"{_OF_RINGS}"
        ),
        source=RINGS,
        where=f"direction = 'inbound' and (is_answered or ring_us is null or {_LONG_ENOUGH})",
        numerator=f"(is_answered and {_SOON_ENOUGH})::int",
        denominator="case when ring_us is not null then 1 end",
        parameters=("three_rings_seconds",),
    ),
)

_OVER = "outcome in ('answered', 'abandoned', 'lost')"


def _share(metric_id: str, name_en: str, name_zh: str, formula: str, above: str, where: str) -> Metric:
    return of_calls(
        id=metric_id,
        kind=MetricKind.RATIO,
        unit="share",
        name_en=name_en,
        name_zh=name_zh,
        formula=f"{formula}, by the moment of the offer",
        source=HANDLED_LEGS,
        where=where,
        numerator=f"({above})::int",
        denominator="1",
    )


_SHARES = (
    _share(
        "outbound_connect_rate",
        "Outbound connect rate",
        "外呼接通率",
        "outbound legs that were answered / outbound legs that were answered or have ended",
        ANSWERED,
        "direction = 'outbound' and outcome <> 'waiting'",
    ),
    _share(
        "call_loss_rate",
        "Call loss rate",
        "呼损率",
        "inbound legs that were abandoned, short ones among them, or lost / inbound legs that were answered, "
        f"abandoned or lost; {_BY_HANDLER}",
        f"not {ANSWERED}",
        f"direction = 'inbound' and {_OVER}",
    ),
)

METRICS = (
    *_SHARES,
    *(_by_handler(metric) for metric in FIRST_VERSIONS if metric.id not in _REDEFINED),
    *_TIMES,
    *_RINGS,
)
