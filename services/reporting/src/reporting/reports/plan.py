"""What is in a report: its sections as data. To add a metric, add its id to a section and a definition of it."""

from dataclasses import dataclass
from enum import StrEnum

from reporting.metrics import Dimension, Grain
from reporting.reports.periods import ReportKind
from reporting.reports.words import GRAIN_WORDS, Bilingual, Language


class Format(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"


class By(StrEnum):
    """What makes the rows of a section."""

    WHOLE = "whole"
    PERIOD = "period"
    """Every period of the axis."""
    HOUR = "hour"
    """The 24 hours of the day, over all days."""
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class ReportSection:
    id: str
    names: Bilingual
    """`{grain}` stands for the length of the periods."""
    metrics: tuple[str, ...]
    by: By
    group_by: Dimension | None = None
    chart: str | None = None
    """The metric that is drawn."""
    is_compared: bool = False
    """Also filled for the period before and for the year before."""

    means_only: tuple[str, ...] = ()
    """Times without their p90, so that the table stays as wide as a page."""

    def title(self, grain: Grain, language: str) -> str:
        is_chinese = language == Language.ZH
        return self.names[is_chinese].format(grain=GRAIN_WORDS[grain][is_chinese])


_CALLS = ("calls_offered", "calls_answered", "calls_abandoned", "connect_rate", "service_level_3", "abandonment_rate")
_TIMES = ("speed_of_answer", "handle_time")
_ORDERS = ("work_orders_completed", "rejections_per_order", "first_dispatch_accuracy", "reopen_rate")
_ORDER_TIMES = ("dispatch_time", "start_time", "arrival_time", "handling_time", "completion_time", "reply_time")
_AGENTS = ("calls_answered", "rang_not_answered", *_TIMES, "talk_time", "after_call_work", "occupancy", "utilisation")

CALLS = ReportSection(
    "calls",
    ("Key figures of calls", "话务主要指标"),
    (
        "calls_received",
        *_CALLS,
        "short_abandons",
        "calls_lost",
        "call_loss_rate",
        "calls_made",
        "outbound_connect_rate",
        *_TIMES,
        "outbound_handle_time",
        "answered_in_three_rings",
        "rang_not_answered",
        "occupancy",
        "utilisation",
        "first_contact_resolution",
        "replies_promised",
        "replies_in_time",
        "satisfaction",
        "satisfaction_response_rate",
    ),
    By.WHOLE,
    is_compared=True,
)
ORDERS = ReportSection(
    "orders",
    ("Key figures of work orders", "工单主要指标"),
    (
        "work_orders_created",
        *_ORDERS,
        "repeat_rate",
        "audit_pass_rate",
        "in_time",
        "extension_rate",
        *_ORDER_TIMES,
        "follow_up_coverage",
        "follow_up_satisfaction",
    ),
    By.WHOLE,
    is_compared=True,
)
CALLS_BY_PERIOD = ReportSection(
    "calls_by_period", ("Calls by {grain}", "分{grain}话务"), (*_CALLS, *_TIMES), By.PERIOD, chart="calls_offered"
)
CALLS_BY_HOUR = ReportSection(
    "calls_by_hour",
    ("Calls by hour of the day", "分钟点话务"),
    ("calls_offered", "calls_answered", "calls_abandoned", "connect_rate"),
    By.HOUR,
    chart="calls_offered",
)
CALLS_BY_QUEUE = ReportSection(
    "calls_by_queue", ("Calls by queue", "分队列话务"), (*_CALLS, *_TIMES), By.GROUP, Dimension.QUEUE
)
CALLS_BY_REASON = ReportSection(
    "calls_by_reason",
    ("Reasons for calling", "来电原因"),
    ("calls_offered", "calls_answered", "connect_rate", "handle_time", "first_contact_resolution"),
    By.GROUP,
    Dimension.DEMAND_TYPE,
    chart="calls_offered",
    is_compared=True,
)
CALLS_BY_AGENT = ReportSection(
    "calls_by_agent",
    ("Calls by agent", "分坐席话务"),
    _AGENTS,
    By.GROUP,
    Dimension.AGENT,
    means_only=("talk_time", "after_call_work"),
)
ORDERS_BY_PERIOD = ReportSection(
    "orders_by_period",
    ("Work orders by {grain}", "分{grain}工单"),
    ("work_orders_created", "work_orders_completed", "rejections_per_order"),
    By.PERIOD,
    chart="work_orders_created",
)
ORDERS_BY_DEMAND = ReportSection(
    "orders_by_demand",
    ("Work orders by demand type", "分需求类型工单"),
    ("work_orders_created", "work_orders_completed", "repeat_rate", "completion_time"),
    By.GROUP,
    Dimension.DEMAND_TYPE,
    chart="work_orders_created",
    is_compared=True,
)
ORDERS_BY_AREA = ReportSection(
    "orders_by_area",
    ("Work orders by work area", "分工区工单"),
    (*_ORDERS, "audit_pass_rate", "start_time", "handling_time"),
    By.GROUP,
    Dimension.WORK_AREA,
    chart="work_orders_completed",
)
FOLLOW_UPS = ReportSection(
    "follow_ups",
    ("Follow-ups by work area", "分工区回访"),
    (
        "follow_ups_planned",
        "follow_up_coverage",
        "follow_ups_in_time",
        "follow_up_satisfaction",
        "follow_up_response_rate",
    ),
    By.GROUP,
    Dimension.WORK_AREA,
)
IN_TIME = ReportSection(
    "in_time", ("Time limits", "时限"), ("in_time", "extension_rate", "clock_time"), By.GROUP, Dimension.CLOCK
)
BY_HOLDER = ReportSection(
    "by_holder", ("Whose the time of orders was", "工单用时责任方"), ("held_time",), By.GROUP, Dimension.HOLDER
)
BACKLOG = ReportSection(
    "backlog",
    ("Backlog as it stood when the report was made", "制表时未完成工单"),
    ("backlog", "backlog_age"),
    By.GROUP,
    Dimension.STATUS,
)

_USUAL = (
    CALLS,
    ORDERS,
    CALLS_BY_PERIOD,
    CALLS_BY_HOUR,
    CALLS_BY_QUEUE,
    CALLS_BY_REASON,
    CALLS_BY_AGENT,
    ORDERS_BY_PERIOD,
    ORDERS_BY_AREA,
    ORDERS_BY_DEMAND,
    FOLLOW_UPS,
    IN_TIME,
    BY_HOLDER,
    BACKLOG,
)
_ANALYSIS = (CALLS, CALLS_BY_PERIOD, CALLS_BY_HOUR, CALLS_BY_REASON, ORDERS_BY_DEMAND, CALLS_BY_QUEUE)
ALL_SECTIONS = {section.id: section for section in _USUAL}


def sections_of(kind: ReportKind) -> tuple[ReportSection, ...]:
    if kind is ReportKind.CALL_ANALYSIS:
        return _ANALYSIS
    # Of one day the periods are the hours.
    return tuple(one for one in _USUAL if kind is not ReportKind.DAILY or one is not CALLS_BY_HOUR)
