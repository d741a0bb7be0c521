"""The summary in sentences, and the observations that rules derive from the figures."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from reporting.metrics import REGISTRY, Grain
from reporting.reports.content import Cell, Content, ReportRequest
from reporting.reports.definitions import metric_name
from reporting.reports.names import Naming
from reporting.reports.periods import axis, day_name, key_name
from reporting.reports.plan import CALLS, CALLS_BY_HOUR, CALLS_BY_PERIOD, CALLS_BY_REASON, ORDERS, ORDERS_BY_DEMAND
from reporting.reports.rules import ReportRules, Target
from reporting.reports.values import NumberForm, change, form_of, value_text
from reporting.reports.words import VOICES, Language, word

_MOST_DAYS_NAMED = 5
_FEW_CALLS = 10
"""Below so many calls an hour's or day's share is not worth a sentence."""
_LARGE_CHANGE = 0.2
Which = Literal["before", "year_before"]


@dataclass(frozen=True, slots=True)
class Narrative:
    """Everything that sentences are made of."""

    asked: ReportRequest
    rules: ReportRules
    contents: dict[str, Content]
    naming: Naming
    language: str

    @property
    def is_chinese(self) -> bool:
        return self.language == Language.ZH

    def say(self, english: str, chinese: str) -> str:
        return chinese if self.is_chinese else english

    def cell(self, section: str, metric_id: str) -> Cell | None:
        content = self.contents.get(section)
        return content.cell(metric_id) if content else None

    def value(self, section: str, metric_id: str) -> float | None:
        cell = self.cell(section, metric_id)
        return cell.value if cell else None

    def moved(self, section: str, metric_id: str) -> str:
        """The change against both periods in brackets, with a space before it; nothing where there are none."""
        content = self.contents[section]
        parts = [
            self.say(f"{text} on the {english}", f"{chinese} {text}")
            for which, english, chinese in (("before", "period before", "环比"), ("year_before", "year before", "同比"))
            if (text := self._change_text(content, metric_id, which))
        ]
        if not parts:
            return ""
        return self.say(f" ({', '.join(parts)})", f"（{'，'.join(parts)}）")

    def _change_text(self, content: Content, metric_id: str, which: Which) -> str | None:
        rows = content.before if which == "before" else content.year_before
        metric = REGISTRY[metric_id][-1]
        moved = change(metric, content.cell(metric_id), content.cell(metric_id, rows))
        return value_text(*moved, self.language) if moved else None

    def text(self, metric_id: str, value: float | None) -> str:
        return value_text(form_of(REGISTRY[metric_id][-1]), value, self.language)


def count_of(number: float, one: str, many: str) -> str:
    return f"{number:,.0f} {one if number == 1 else many}"


def is_met(target: Target, value: float) -> bool:
    # Figures are rounded to millionths; a target of 0.8 is met by what prints as 80.0 %.
    return value >= target.value - 1e-9 if target.is_at_least else value <= target.value + 1e-9


def target_text(target: Target, language: str) -> str:
    """For a table: `≥ 80.0%`."""
    return f"{'≥' if target.is_at_least else '≤'} {_target_value(target, language)}"


def _target_value(target: Target, language: str) -> str:
    return value_text(form_of(REGISTRY[target.metric][-1]), target.value, language)


def _target_words(story: Narrative, target: Target) -> str:
    """For a sentence: `at least 80.0%`."""
    value = _target_value(target, story.language)
    if target.is_at_least:
        return story.say(f"at least {value}", f"不低于 {value}")
    return story.say(f"at most {value}", f"不高于 {value}")


def paragraphs(story: Narrative) -> list[str]:
    """One paragraph of calls, one of orders, of what is in the report."""
    written = [[*_of_calls(story)], [*_of_orders(story)]]
    found = [story.say(" ", "").join(sentences) for sentences in written if sentences]
    return found or [word("nothing", story.language)]


def _of_calls(story: Narrative) -> Iterator[str]:
    offered = story.value(CALLS.id, "calls_offered")
    if offered is None:
        return
    if not offered:
        made = story.value(CALLS.id, "calls_made") or 0
        yield story.say("No inbound call was recorded.", "本期没有呼入记录。")
        if made:
            yield story.say(
                f"{count_of(made, 'outbound call was', 'outbound calls were')} made.", f"呼出 {made:,} 通。"
            )
        return
    yield _offered(story, offered)
    yield from _quality_of_service(story)
    yield from _peaks(story)


def _offered(story: Narrative, offered: float) -> str:
    answered = story.value(CALLS.id, "calls_answered") or 0
    rate = story.text("connect_rate", story.value(CALLS.id, "connect_rate"))
    abandoned = story.value(CALLS.id, "calls_abandoned") or 0
    more, of_rate = story.moved(CALLS.id, "calls_offered"), story.moved(CALLS.id, "connect_rate")
    return story.say(
        f"{count_of(offered, 'call was', 'calls were')} offered{more}; {answered:,} answered, a connect rate of {rate}"
        f"{of_rate}; {abandoned:,} abandoned by the caller.",
        f"本期呼入 {offered:,} 通{more}，接通 {answered:,} 通，接通率 {rate}{of_rate}，来电人放弃 {abandoned:,} 通。",
    )


def _quality_of_service(story: Narrative) -> Iterator[str]:
    level = story.value(CALLS.id, "service_level_3")
    if level is not None:
        seconds = story.asked.rules.threshold_seconds
        text, more = story.text("service_level_3", level), story.moved(CALLS.id, "service_level_3")
        met = _met_text(story, "service_level_3", level)
        yield story.say(
            f"Service level (answered within {seconds} s) was {text}{more}{met}.",
            f"服务水平（{seconds} 秒内应答）{text}{more}{met}。",
        )
    for metric_id, english, chinese in (
        ("speed_of_answer", "Callers waited {0} on average until they were answered", "平均应答速度 {0}"),
        ("handle_time", "A call took {0} to handle on average", "平均处理时长 {0}"),
    ):
        cell = story.cell(CALLS.id, metric_id)
        if cell is None or cell.value is None:
            continue
        mean, p90 = story.text(metric_id, cell.value), story.text(metric_id, cell.p90)
        within = "" if cell.p90 is None else story.say(f" (nine in ten within {p90})", f"（九成不超过 {p90}）")
        yield story.say(f"{english.format(mean)}{within}.", f"{chinese.format(mean)}{within}。")


def _met_text(story: Narrative, metric_id: str, value: float) -> str:
    target = story.rules.target_of(metric_id)
    if target is None:
        return ""
    text = _target_words(story, target)
    if is_met(target, value):
        return story.say(f", which meets the target of {text}", f"，达到目标（{text}）")
    return story.say(f", which misses the target of {text}", f"，未达目标（{text}）")


def _peaks(story: Narrative) -> Iterator[str]:
    by_period, by_hour = story.contents.get(CALLS_BY_PERIOD.id), story.contents.get(CALLS_BY_HOUR.id)
    if by_period and (busiest := busiest_row(by_period, "calls_offered")):
        key, count = busiest
        name = period_words(story, story.asked.grain, key)
        calls = count_of(count, "call", "calls")
        yield story.say(
            f"The busiest {_GRAIN_WORDS[story.asked.grain][0]} was {name} with {calls}.",
            f"话务最高的{_GRAIN_WORDS[story.asked.grain][1]}为 {name}（{count:,} 通）。",
        )
    if by_hour and by_hour.busiest:
        key, count = by_hour.busiest
        name, calls = period_words(story, Grain.HOUR, key), count_of(count, "call", "calls")
        yield story.say(f"The busiest hour was {name} with {calls}.", f"话务最高的一小时为 {name}（{count:,} 通）。")


_GRAIN_WORDS = {
    Grain.HOUR: ("hour", "一小时"),
    Grain.DAY: ("day", "一天"),
    Grain.WEEK: ("week", "一周"),
    Grain.MONTH: ("month", "一个月"),
    Grain.QUARTER: ("quarter", "季度"),
    Grain.YEAR: ("year", "年份"),
}


def busiest_row(content: Content, metric_id: str) -> tuple[str, float] | None:
    """The row with the highest count, the earliest of several; None where all are zero."""
    counts = [
        (key, cell.value)
        for key, cells in content.rows
        if key and (cell := content.cell(metric_id, [(key, cells)], key))
    ]
    most = max(counts, key=lambda one: one[1] or 0, default=None)
    return (most[0], most[1]) if most and most[1] else None


def period_words(story: Narrative, grain: Grain, key: str) -> str:
    """A period in a sentence: an hour with its day where the report is of several, a day with its weekday."""
    if grain is Grain.HOUR:
        begin = datetime.fromisoformat(key)
        hours = f"{begin:%H:%M}–{(begin.hour + 1) % 24 or 24:02}:{begin:%M}"
        if len(axis(Grain.DAY, story.asked.window, story.asked.zone)) == 1:
            return hours
        return story.say(f"{hours} on {day_name(begin.date(), 'en')}", f"{day_name(begin.date(), 'zh')} {hours}")
    if grain is Grain.DAY:
        return day_name(date.fromisoformat(key), story.language, with_weekday=True)
    return key_name(grain, key, story.language)


def _of_orders(story: Narrative) -> Iterator[str]:
    if story.asked.kind == "call_analysis" or ORDERS.id not in story.contents:
        return
    created, completed = (story.value(ORDERS.id, f"work_orders_{name}") for name in ("created", "completed"))
    if not created and not completed:
        yield story.say("No work order was created or completed.", "本期没有生成或完成的工单。")
        return
    yield _orders_moved(story, created, completed)
    share = story.value(ORDERS.id, "in_time")
    if share is not None:
        text, more = story.text("in_time", share), story.moved(ORDERS.id, "in_time")
        met = _met_text(story, "in_time", share)
        yield story.say(
            f"{text} of the time limits that ended were kept{more}{met}.", f"时限按时率 {text}{more}{met}。"
        )
    cell = story.cell(ORDERS.id, "completion_time")
    if cell and cell.value is not None:
        median, p90 = (story.text("completion_time", value) for value in (cell.p50, cell.p90))
        yield story.say(
            f"Half of the orders were completed within {median}, nine in ten within {p90}.",
            f"半数工单在 {median}内完成，九成在 {p90}内完成。",
        )


def _orders_moved(story: Narrative, created: float | None, completed: float | None) -> str:
    more = story.moved(ORDERS.id, "work_orders_completed")
    if created is None:
        done = completed or 0
        return story.say(f"{count_of(done, 'completion', 'completions')}{more}.", f"完成工单 {done:,} 次{more}。")
    of_created = story.moved(ORDERS.id, "work_orders_created")
    begun = count_of(created, "work order was", "work orders were")
    if completed is None:
        return story.say(f"{begun} created{of_created}.", f"生成工单 {created:,} 单{of_created}。")
    return story.say(
        f"{begun} created{of_created}; there {'was' if completed == 1 else 'were'} "
        f"{count_of(completed, 'completion', 'completions')}{more}.",
        f"生成工单 {created:,} 单{of_created}，完成 {completed:,} 次{more}。",
    )


def observations(story: Narrative) -> list[str]:
    """What follows from the figures by rule; each sentence names the figures that it rests on."""
    return [
        *_targets_missed(story),
        *_days_below_target(story),
        *_weakest_hour(story),
        *_voices_moved(story),
        *_reasons_moved(story),
    ]


def _targets_missed(story: Narrative) -> Iterator[str]:
    for target in story.rules.targets:
        for section in (CALLS.id, ORDERS.id):
            value = story.value(section, target.metric)
            if value is None or is_met(target, value):
                continue
            metric = REGISTRY[target.metric][-1]
            text, wanted = story.text(target.metric, value), _target_words(story, target)
            yield story.say(
                f"{metric_name(metric, 'en')}: {text} misses the target of {wanted}.",
                f"{metric_name(metric, 'zh')}为 {text}，未达目标（{wanted}）。",
            )


def _days_below_target(story: Narrative) -> Iterator[str]:
    target, content = story.rules.target_of("service_level_3"), story.contents.get(CALLS_BY_PERIOD.id)
    if target is None or content is None or story.asked.grain is not Grain.DAY:
        return
    cells = [(key, content.cell("service_level_3", [(key, row)], key)) for key, row in content.rows]
    known = [(key, cell.value) for key, cell in cells if key and cell and cell.value is not None]
    missed = [key for key, value in known if not is_met(target, value)]
    if not missed:
        return
    names = [key_name(Grain.DAY, key, story.language) for key in missed[:_MOST_DAYS_NAMED]]
    english, chinese = ", ".join(names), "、".join(names)
    if len(missed) > len(names):
        english, chinese = f"{english} and others", f"{chinese}等"
    yield story.say(
        f"Service level missed its target on {len(missed)} of {count_of(len(known), 'day', 'days')} with calls: "
        f"{english}.",
        f"有话务的 {len(known)} 天中，服务水平有 {len(missed)} 天未达目标：{chinese}。",
    )


def _weakest_hour(story: Narrative) -> Iterator[str]:
    content = story.contents.get(CALLS_BY_HOUR.id)
    if content is None:
        return
    shares = [
        (cell.value, key)
        for key, row in content.rows
        if key
        and (cell := content.cell("connect_rate", [(key, row)], key))
        and cell.value is not None
        and (cell.denominator or 0) >= _FEW_CALLS
    ]
    if len(shares) < 2 or min(shares)[0] == max(shares)[0]:
        return
    value, key = min(shares)
    text, hours = story.text("connect_rate", value), hour_name(key)
    yield story.say(
        f"The connect rate was lowest between {hours}, at {text}.", f"接通率最低的钟点为 {hours}，为 {text}。"
    )


def hour_name(key: str) -> str:
    return f"{key}:00–{int(key) + 1:02}:00"


def voices(story: Narrative) -> list[tuple[str, list[Cell | None]]]:
    """Complaints, suggestions and reports: by name the orders created in this period, the one before, a year before."""
    content = story.contents.get(ORDERS_BY_DEMAND.id)
    if content is None or content.place_of("work_orders_created") is None:
        return []
    zero = Cell(0, 0, None)
    windows = (content.rows, content.before, content.year_before)
    return [
        (names[story.is_chinese], [content.cell("work_orders_created", rows, code) or zero for rows in windows])
        for code, names in VOICES.items()
    ]


def _voices_moved(story: Narrative) -> Iterator[str]:
    for name, (now, before, _) in voices(story):
        if now is None or before is None or not now.value or now.value <= (before.value or 0):
            continue
        yield story.say(
            f"{name} rose from {before.value:,} to {now.value:,}.",
            f"{name}由 {before.value:,} 件增至 {now.value:,} 件。",
        )


def _reasons_moved(story: Narrative) -> Iterator[str]:
    """The reason for calling that has grown most, if it has grown by much."""
    content = story.contents.get(CALLS_BY_REASON.id)
    if content is None or not content.before:
        return
    grown = []
    for key, row in content.rows:
        now, before = (
            content.cell("calls_offered", [(key, row)], key),
            content.cell("calls_offered", content.before, key),
        )
        if key and now and now.value and before and (before.value or 0) >= _FEW_CALLS:
            grown.append((now.value / before.value - 1, key, before.value, now.value))  # type: ignore[operator]
    if not grown or max(grown)[0] < _LARGE_CHANGE:
        return
    share, key, before_count, count = max(grown)
    name, text = story.naming.label(_REASON, key), value_text(NumberForm.CHANGE, share, story.language)
    yield story.say(
        f"Calls about “{name}” grew most, from {before_count:,} to {count:,} ({text}).",
        f"“{name}”类来电增幅最大，由 {before_count:,} 通增至 {count:,} 通（{text}）。",
    )


_REASON = CALLS_BY_REASON.group_by
assert _REASON is not None
