"""What is in a report: its period, its sections, and how everything in it is called in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from contracts.events import Clock
from reporting.metrics import Dimension, Grain


class ReportKind(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class Format(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


Names = tuple[str, str]
"""English and Chinese."""

KIND_NAMES: Mapping[ReportKind, Names] = {
    ReportKind.DAILY: ("Daily report", "日报"),
    ReportKind.WEEKLY: ("Weekly report", "周报"),
    ReportKind.MONTHLY: ("Monthly report", "月报"),
    ReportKind.QUARTERLY: ("Quarterly report", "季报"),
    ReportKind.YEARLY: ("Yearly report", "年报"),
}
GRAINS: Mapping[ReportKind, Grain] = {
    ReportKind.DAILY: Grain.HOUR,
    ReportKind.WEEKLY: Grain.DAY,
    ReportKind.MONTHLY: Grain.DAY,
    ReportKind.QUARTERLY: Grain.WEEK,
    ReportKind.YEARLY: Grain.MONTH,
}
"""How finely the period is told."""

WORDS: Mapping[str, Names] = {
    "period": ("Period", "时段"),
    "queue": ("Queue", "队列"),
    "clock": ("Limit for", "时限类型"),
    "agent_id": ("Agent", "坐席"),
    "work_area_id": ("Work area", "工区"),
    "demand_type": ("Demand type", "需求类型"),
    "status": ("Status", "状态"),
    "": ("Whole period", "全部时段"),
    "none": ("none", "无"),
    "section": ("Section", "章节"),
    "group": ("Group", "分组"),
    "metric": ("Metric", "指标"),
    "version": ("Version", "版本"),
    "unit": ("Unit", "单位"),
    "numerator": ("Numerator", "分子"),
    "denominator": ("Denominator", "分母"),
    "value": ("Value", "数值"),
    "unknown": ("Unknown", "未知"),
    "marked": ("Marked", "存疑"),
    "signs": ("Signs", "标记说明"),
    "signs_mean": (
        "?n: n more could not be counted, because something of them is not known; !n: something is odd at n of them",
        "?n：另有 n 项因信息不全未计入；!n：其中 n 项存疑",
    ),
    "read_up_to": ("Read up to", "已读至"),
    "provisional": (
        "the period is not over, or not read to its end: figures are provisional",
        "时段未结束或尚未读完，数据为暂定",
    ),
    "nothing": ("nothing in this period", "本时段无数据"),
    "manifest": ("Manifest", "清单"),
    "as_of": ("As known at", "数据截至"),
    "threshold_seconds": ("Service level within (s)", "服务水平阈值（秒）"),
    "short_seconds": ("Short abandon within (s)", "短时放弃阈值（秒）"),
    "near_seconds": ("Limit near within (s)", "临近时限阈值（秒）"),
    "silent_after_seconds": ("Agent silent after (s)", "坐席静默阈值（秒）"),
    "three_rings_seconds": ("Three rings last (s)", "三声振铃时长（秒）"),
    "page": ("Page", "页"),
}


UNITS: Mapping[str, Names] = {
    "calls": ("calls", "通"),
    "clocks": ("clocks", "项"),
    "completions": ("completions", "次"),
    "follow-ups": ("follow-ups", "个"),
    "orders": ("orders", "单"),
    "promises": ("promises", "项"),
    "ratio": ("ratio", "比值"),
    "rejections per order": ("rejections per order", "次/单"),
    "rings": ("rings", "次"),
    "seconds": ("seconds", "秒"),
    "share": ("share", "比例"),
    "steps": ("steps", "次"),
}
CLOCK_NAMES: Mapping[Clock, Names] = {
    Clock.DISPATCH: ("dispatch", "派单"),
    Clock.ACCEPT: ("start of work", "接单"),
    Clock.CONTACT: ("first contact", "首次联系"),
    Clock.ARRIVE: ("arrival", "到达"),
    Clock.COMPLETE: ("completion", "完成"),
    Clock.REPLY: ("reply", "答复"),
}


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    names: Names
    metrics: tuple[str, ...]
    group_by: Dimension | None = None
    is_by_period: bool = False
    chart: str | None = None
    """The metric that is drawn."""


_CALLS = ("calls_offered", "calls_answered", "calls_abandoned", "connect_rate", "service_level_3", "abandonment_rate")
_TIMES = ("speed_of_answer", "handle_time")
_ORDERS = ("work_orders_completed", "rejections_per_order", "first_dispatch_accuracy", "reopen_rate")
_ORDER_TIMES = ("dispatch_time", "start_time", "arrival_time", "handling_time", "completion_time", "reply_time")
_CONTENT = ("follow_up_satisfaction", "follow_up_response_rate")
_IN_TIME = ("in_time", "extension_rate")

SECTIONS = (
    Section(
        "calls",
        ("Calls", "话务总览"),
        (
            "calls_received",
            *_CALLS,
            "short_abandons",
            "calls_lost",
            *_TIMES,
            "occupancy",
            "utilisation",
            "first_contact_resolution",
            "replies_promised",
            "replies_in_time",
            "satisfaction",
            "satisfaction_response_rate",
        ),
    ),
    Section("calls_by_period", ("Calls by period", "分时段话务"), (*_CALLS, *_TIMES), None, True, "calls_offered"),
    Section(
        "calls_by_queue", ("Calls by queue", "分队列话务"), (*_CALLS, *_TIMES), Dimension.QUEUE, chart="calls_offered"
    ),
    Section(
        "calls_by_agent",
        ("Calls by agent", "分坐席话务"),
        ("calls_answered", *_TIMES, "talk_time", "after_call_work", "occupancy", "utilisation"),
        Dimension.AGENT,
    ),
    Section(
        "orders",
        ("Work orders", "工单总览"),
        ("work_orders_created", *_ORDERS, "repeat_rate", "audit_pass_rate", *_ORDER_TIMES),
    ),
    Section(
        "orders_by_period",
        ("Work orders by period", "分时段工单"),
        ("work_orders_created", "work_orders_completed", "rejections_per_order"),
        None,
        True,
        "work_orders_created",
    ),
    Section(
        "orders_by_area",
        ("Work orders by work area", "分工区工单"),
        (*_ORDERS, "audit_pass_rate", "start_time", "handling_time"),
        Dimension.WORK_AREA,
        chart="work_orders_completed",
    ),
    Section(
        "orders_by_demand",
        ("Work orders by demand type", "分需求类型工单"),
        ("work_orders_created", "work_orders_completed", "repeat_rate", "completion_time"),
        Dimension.DEMAND_TYPE,
        chart="work_orders_created",
    ),
    Section(
        "follow_ups",
        ("Follow-ups by work area", "分工区回访"),
        ("follow_ups_planned", "follow_up_coverage", "follow_ups_in_time", *_CONTENT),
        Dimension.WORK_AREA,
        chart="follow_up_coverage",
    ),
    Section("in_time", ("Time limits", "时限"), _IN_TIME, Dimension.CLOCK, chart="in_time"),
    Section("backlog", ("Backlog as it stands", "未完成工单"), ("backlog", "backlog_age"), Dimension.STATUS),
)


def word(name: str, language: str) -> str:
    return WORDS[name][language == Language.ZH]


def period_of(kind: ReportKind, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The beginning and the end of the period that a day lies in, by the zone's midnights."""
    first = {
        ReportKind.DAILY: day,
        ReportKind.WEEKLY: day - timedelta(days=day.weekday()),
        ReportKind.MONTHLY: day.replace(day=1),
        ReportKind.QUARTERLY: date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        ReportKind.YEARLY: date(day.year, 1, 1),
    }[kind]
    months = {ReportKind.MONTHLY: 1, ReportKind.QUARTERLY: 3, ReportKind.YEARLY: 12}
    if kind in months:
        month = first.month - 1 + months[kind]
        last = date(first.year + month // 12, month % 12 + 1, 1)
    else:
        last = first + timedelta(days=7 if kind is ReportKind.WEEKLY else 1)
    return datetime.combine(first, time(), zone), datetime.combine(last, time(), zone)
