"""Metrics of calls. What is offered is a leg: a call that is transferred to another queue is offered there again."""

from functools import partial

from reporting.metrics.durations import PERCENTILES
from reporting.metrics.metric import Dimension, Metric, MetricKind, Source

_FACTS = (
    "offered",
    "queued",
    "rang_unanswered",
    "answered",
    "held",
    "resumed",
    "transferred",
    "abandoned",
    "lost",
    "ended",
    "after_call_work_ended",
    "classified",
    "settled",
    "rated",
)

LEGS = Source(
    name="legs of calls",
    table="legs",
    subject="call_id",
    moment="moment",
    known="true",
    known_at="known_at",
    late="exists (select from late_legs_{live} as told where told.call_id = fact.call_id and told.leg = fact.leg"
    " and told.known_at <= {upto})",
    versions=(),
    key=("call_id", "leg"),
    inputs=tuple(f"linework.call.{name}.v1" for name in _FACTS),
    is_refolded=True,
    has_marks=True,
)

DIMENSIONS = (
    Dimension.QUEUE,
    Dimension.AGENT,
    Dimension.TEAM,
    Dimension.CHANNEL,
    Dimension.DEMAND_TYPE,
    Dimension.DIRECTION,
)
ROLES = ("dispatcher", "auditor", "supervisor", "operator")
DOMAIN = "the domain's section 9, calls"
INBOUND = "direction = 'inbound' and outcome <> 'passed'"
_WITHIN = "wait_us <= {threshold_seconds} * 1000000::bigint"
_SHORT = "wait_us <= {short_seconds} * 1000000::bigint"
ANSWERED, _ABANDONED = "outcome = 'answered'", "outcome = 'abandoned'"
_TALKED = "ended_at is not null and answered_at is not null"
_OF_OFFERED = "of inbound legs by the moment of their offer; a wait equal to the threshold is within it; "
UNKNOWN = "legs whose needed duration is not known count in neither and are shown as unknown"


of_calls = partial(Metric, formula_source=DOMAIN, dimensions=DIMENSIONS, roles=ROLES)
_of_legs = partial(of_calls, source=LEGS)


def _count(metric_id: str, name_en: str, name_zh: str, what: str, where: str, **more: object) -> Metric:
    return _of_legs(
        id=metric_id,
        kind=MetricKind.COUNT,
        unit="calls",
        name_en=name_en,
        name_zh=name_zh,
        formula=f"count of {what}, by the moment of their offer",
        where=where,
        **more,
    )


def _share(metric_id: str, name_en: str, name_zh: str, formula: str, above: str, below: str, **more: object) -> Metric:
    return _of_legs(
        id=metric_id,
        kind=MetricKind.RATIO,
        unit="share",
        name_en=name_en,
        name_zh=name_zh,
        formula=formula,
        **{"where": INBOUND} | more,
        numerator=f"({above})::int",
        denominator=f"({below})::int",
    )


def _service_level(number: int, formula: str, above: str, below: str, *parameters: str) -> Metric:
    return _share(
        f"service_level_{number}",
        f"Service level, variant {number}",
        f"服务水平（口径{number}）",
        f"{formula}, {_OF_OFFERED}{UNKNOWN}",
        above,
        below,
        parameters=("threshold_seconds", *parameters),
    )


def _time(metric_id: str, name_en: str, name_zh: str, formula: str, what: str, where: str) -> Metric:
    return _of_legs(
        id=metric_id,
        kind=MetricKind.DISTRIBUTION,
        unit="seconds",
        name_en=name_en,
        name_zh=name_zh,
        formula=f"{formula}, by the moment of the offer; {UNKNOWN}; {PERCENTILES}",
        where=where,
        numerator=what,
    )


_SETTLED_AT_ONCE = (
    "settled = 'answered' and not exists (select from {table} as later where later.leg = 1"
    " and later.direction = 'inbound' and later.subscriber_id = fact.subscriber_id"
    " and later.moment <= fact.moment + interval '168 hours'"
    " and (later.moment, later.call_id) > (fact.moment, fact.call_id))"
)

METRICS = (
    _count(
        "calls_received",
        "Calls received",
        "呼入来电数",
        "inbound calls whose offer is known, each once however many legs it has",
        "direction = 'inbound' and is_offered",
    ),
    _count("calls_offered", "Calls offered", "呼入量", "inbound legs", INBOUND),
    _count("calls_answered", "Calls answered", "接通量", "inbound legs answered", f"{INBOUND} and {ANSWERED}"),
    _count(
        "calls_abandoned",
        "Calls abandoned",
        "放弃量",
        "inbound legs that the caller abandoned, short ones among them",
        f"{INBOUND} and {_ABANDONED}",
    ),
    _count(
        "short_abandons",
        "Short abandons",
        "短时放弃量",
        "inbound legs abandoned after at most short_seconds",
        f"{INBOUND} and {_ABANDONED} and {_SHORT}",
        parameters=("short_seconds",),
    ),
    _count(
        "calls_lost",
        "Calls lost",
        "流失量",
        "inbound legs that left their queue without having been answered or abandoned",
        f"{INBOUND} and outcome = 'lost'",
    ),
    _count("calls_made", "Outbound calls", "呼出量", "outbound legs", "direction = 'outbound'"),
    _share(
        "connect_rate", "Connect rate", "接通率", "answered / offered, by the moment of the offer", ANSWERED, "true"
    ),
    _service_level(
        1,
        "(answered within the threshold + abandoned within it) / offered",
        f"outcome in ('answered', 'abandoned') and {_WITHIN}",
        "true",
    ),
    _service_level(2, "answered within the threshold / answered", f"{ANSWERED} and {_WITHIN}", f"{ANSWERED}"),
    _service_level(
        3,
        "answered within the threshold / (answered + abandoned)",
        f"{ANSWERED} and {_WITHIN}",
        "outcome in ('answered', 'abandoned')",
    ),
    _service_level(
        4,
        "answered within the threshold / (answered + abandoned after it)",
        f"{ANSWERED} and {_WITHIN}",
        f"{ANSWERED} or ({_ABANDONED} and not {_WITHIN})",
    ),
    _service_level(
        5,
        "answered within the threshold / (answered + abandoned - short abandons)",
        f"{ANSWERED} and {_WITHIN}",
        f"{ANSWERED} or ({_ABANDONED} and not {_SHORT})",
        "short_seconds",
    ),
    _share(
        "abandonment_rate",
        "Abandonment",
        "放弃率",
        f"(abandoned - short abandons) / offered, by the moment of the offer; {UNKNOWN}",
        f"{_ABANDONED} and not {_SHORT}",
        "true",
        parameters=("short_seconds",),
    ),
    _time(
        "speed_of_answer",
        "Average speed of answer",
        "平均应答速度",
        "mean wait of answered inbound legs",
        "wait_us",
        f"{INBOUND} and {ANSWERED}",
    ),
    _time(
        "time_to_abandon",
        "Wait before abandoning",
        "放弃前等待时长",
        "mean wait of abandoned inbound legs",
        "wait_us",
        f"{INBOUND} and {_ABANDONED}",
    ),
    _time(
        "talk_time",
        "Talk",
        "通话时长",
        "mean talk of ended legs, holds not among it",
        "talk_us",
        _TALKED,
    ),
    _time(
        "hold_time",
        "Hold",
        "保持时长",
        "mean hold of ended legs where it is known",
        "hold_us",
        "ended_at is not null and hold_us is not null",
    ),
    _time(
        "after_call_work",
        "After-call work",
        "话后处理时长",
        "mean after-call work of legs that had some",
        "work_us",
        "work_us is not null",
    ),
    _time(
        "handle_time",
        "Average handle time",
        "平均处理时长",
        "mean of talk + hold + after-call work of ended legs; a hold or after-call work that was not reported is zero",
        "talk_us + coalesce(hold_us, 0) + coalesce(work_us, 0)",
        _TALKED,
    ),
    _share(
        "first_contact_resolution",
        "First contact resolution",
        "首次解决率",
        (
            "settled at once by the agent and in no other way, with no inbound call of the same subscriber in the 7 "
            "days after / inbound calls answered, of a known subscriber and settled"
        ),
        _SETTLED_AT_ONCE,
        "true",
        where=f"{INBOUND} and {ANSWERED} and leg = 1 and subscriber_id is not null and settled is not null",
        reach=(0, 7),
    ),
    _of_legs(
        id="satisfaction",
        kind=MetricKind.RATIO,
        unit="share",
        name_en="Satisfaction",
        name_zh="满意度",
        formula="sum of scores / sum of the highest scores possible, of calls that were rated",
        where="score is not null",
        numerator="score",
        denominator="highest",
    ),
    _share(
        "satisfaction_response_rate",
        "Response rate of the satisfaction question",
        "满意度参评率",
        "calls rated / calls whose caller was asked",
        "score is not null",
        "true",
        where="is_asked",
    ),
)
