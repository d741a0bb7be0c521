"""The summary of a follow-up project: its days, its figures, and its page to print and file."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from contracts.refusals import Invalid
from qa.follow_up.domain.project import FollowUpProject
from qa.periods import PeriodLength, period_of


class SummaryDaysUnclear(Invalid):
    """Give from_on and a later until_on, or a period and optionally a day in it."""

    zh = "请给出 from_on 与更晚的 until_on，或给出 period 以及其中的某一天。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days that are asked for: from one until another, or the period that a day lies in; today without one."""

    from_on: date | None = None
    until_on: date | None = None
    period: PeriodLength | None = None
    on: date | None = None

    def bounds(self, today: date) -> tuple[date | None, date | None]:
        """The first day, and the one after the last; raises `SummaryDaysUnclear`."""
        has_bounds = self.from_on is not None or self.until_on is not None
        if (has_bounds and self.period is not None) or (self.on is not None and self.period is None):
            raise SummaryDaysUnclear()
        if self.from_on is not None and self.until_on is not None and self.until_on <= self.from_on:
            raise SummaryDaysUnclear()
        return period_of(self.period, self.on or today) if self.period else (self.from_on, self.until_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSummary:
    """Sums and counts, so that days add up to weeks, months and quarters; an average is a sum over its count."""

    project: FollowUpProject
    from_on: date | None
    until_on: date | None
    """The first day that is not in it any more."""
    time_zone: str
    """Of the project's calendar, whose days they are."""
    made_at: datetime
    planned_count: int
    ended_count: int
    completed_count: int
    completed_in_time_count: int
    refused_count: int
    unreachable_count: int
    withdrawn_count: int
    overdue_count: int
    order_count: int
    """Orders that the follow-ups cover, without the withdrawn."""
    attempt_count: int
    satisfaction_count: int
    satisfaction_sum: int
    risk_count: int
    dissatisfaction_count: int
    open_finding_count: int


_LINES = (
    ("planned_count", "Planned", "计划回访"),
    ("order_count", "Orders covered", "覆盖工单"),
    ("attempt_count", "Calls made", "拨打次数"),
    ("completed_count", "Completed", "完成回访"),
    ("completed_in_time_count", "Completed in time", "按期完成"),
    ("refused_count", "Refused", "用户拒访"),
    ("unreachable_count", "Not reached", "无法接通"),
    ("withdrawn_count", "Withdrawn", "撤回"),
    ("overdue_count", "Overdue", "逾期未完成"),
    ("risk_count", "Findings: risk", "发现：风险"),
    ("dissatisfaction_count", "Findings: dissatisfaction", "发现：不满"),
    ("open_finding_count", "Findings still open", "未办结的发现"),
)
_STYLE = "body{font-family:sans-serif;margin:2em}table{border-collapse:collapse}td{border:1px solid;padding:.3em 1em}"


def to_html(summary: ProjectSummary, language: str) -> str:
    """One self-contained page, in `zh` or `en`."""
    is_zh = language == "zh"
    made_at = summary.made_at.astimezone(ZoneInfo(summary.time_zone))
    rows = [(zh if is_zh else en, str(getattr(summary, name))) for name, en, zh in _LINES]
    rows.append(("平均满意度" if is_zh else "Mean satisfaction", _mean(summary)))
    title = f"{'回访项目' if is_zh else 'Follow-up project'} {summary.project.name}"
    last_on = summary.until_on - timedelta(days=1) if summary.until_on else "…"
    days = f"{summary.from_on or '…'} – {last_on}"
    made = f"{'制表时间' if is_zh else 'Made at'} {made_at:%Y-%m-%d %H:%M} {summary.time_zone}"
    cells = "".join(f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>" for label, value in rows)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1><p>{escape(days)}</p>"
        f"<table>{cells}</table><p>{escape(made)}</p></body></html>"
    )


def _mean(summary: ProjectSummary) -> str:
    if not summary.satisfaction_count:
        return "–"
    mean = summary.satisfaction_sum / summary.satisfaction_count
    return f"{mean:.2f} ({summary.satisfaction_sum} / {summary.satisfaction_count})"
