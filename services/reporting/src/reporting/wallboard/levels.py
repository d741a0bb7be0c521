"""When something on the wallboard is a warning or an alarm. Pure decisions on numbers and rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contracts.directory import Names
from contracts.refusals import Invalid
from reporting.ratios import check_share


class ThresholdsInverted(Invalid):
    """The alarm threshold of {measure} comes before its warning threshold: {warning} and {alarm}."""

    zh = "{measure} 的报警阈值先于预警阈值：{warning} 与 {alarm}。"


class ColourUnreadable(Invalid):
    """The colour {colour} for {level} has a contrast of {contrast} on the dark page; at least {needed} is required."""

    zh = "{level} 的颜色 {colour} 与深色背景的对比度为 {contrast}，至少需要 {needed} 才清晰可读。"


class Level(StrEnum):
    NORMAL = "normal"
    WARNING = "warning"
    ALARM = "alarm"


class Measure(StrEnum):
    """What a threshold can be set for. Shares are from 0 to 1, times in seconds, the others counts."""

    WAITING = "waiting"
    LONGEST_WAIT = "longest_wait"
    CONNECT_RATE = "connect_rate"
    SERVICE_LEVEL_3 = "service_level_3"
    ABANDONMENT_RATE = "abandonment_rate"
    SPEED_OF_ANSWER = "speed_of_answer"
    READY_AGENTS = "ready_agents"
    OPEN_ORDERS = "open_orders"
    BACKLOG_AGE = "backlog_age"
    NEAR_LIMIT = "near_limit"
    OVER_LIMIT = "over_limit"
    LAG = "lag"


class TimedState(StrEnum):
    """A state of an agent that can last too long."""

    ON_CALL = "on_call"
    AFTER_CALL_WORK = "after_call_work"
    PAUSED = "paused"
    BUSY = "busy"


NAMES: Mapping[Measure | TimedState | Level, Names] = {
    Measure.WAITING: Names("calls waiting", "排队呼叫"),
    Measure.LONGEST_WAIT: Names("longest wait", "最长等待"),
    Measure.CONNECT_RATE: Names("connect rate", "接通率"),
    Measure.SERVICE_LEVEL_3: Names("service level", "服务水平"),
    Measure.ABANDONMENT_RATE: Names("abandonment", "放弃率"),
    Measure.SPEED_OF_ANSWER: Names("speed of answer", "平均应答速度"),
    Measure.READY_AGENTS: Names("agents ready", "空闲坐席"),
    Measure.OPEN_ORDERS: Names("open work orders", "未完成工单"),
    Measure.BACKLOG_AGE: Names("age of open work orders", "未完成工单历时"),
    Measure.NEAR_LIMIT: Names("work orders near their limit", "临近时限工单"),
    Measure.OVER_LIMIT: Names("work orders over their limit", "超时工单"),
    Measure.LAG: Names("age of the data", "数据延迟"),
    TimedState.ON_CALL: Names("on a call", "通话中"),
    TimedState.AFTER_CALL_WORK: Names("after-call work", "话后处理"),
    TimedState.PAUSED: Names("paused", "小休"),
    TimedState.BUSY: Names("busy", "忙碌"),
    Level.NORMAL: Names("normal values", "正常值"),
    Level.WARNING: Names("warnings", "预警"),
    Level.ALARM: Names("alarms", "报警"),
}
LOW_IS_BAD = frozenset({Measure.CONNECT_RATE, Measure.SERVICE_LEVEL_3, Measure.READY_AGENTS})
SHARES = frozenset({Measure.CONNECT_RATE, Measure.SERVICE_LEVEL_3, Measure.ABANDONMENT_RATE})
BACKGROUND = "#0d131a"
_LEAST_CONTRAST = 4.5
"""Of text to its background: WCAG 2.2, success criterion 1.4.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """A value beyond a threshold has its level; beyond is above, or below where a low value is bad. Null: never."""

    warning: float | None = None
    alarm: float | None = None

    def level(self, value: float | None, *, low_is_bad: bool = False) -> Level:
        sign = -1 if low_is_bad else 1
        for level, threshold in ((Level.ALARM, self.alarm), (Level.WARNING, self.warning)):
            if value is not None and threshold is not None and sign * value > sign * threshold:
                return level
        return Level.NORMAL

    def check(self, measure: Measure | TimedState, *, low_is_bad: bool = False) -> None:
        """Raises `ThresholdsInverted`."""
        sign = -1 if low_is_bad else 1
        if self.warning is not None and self.alarm is not None and sign * self.alarm < sign * self.warning:
            raise ThresholdsInverted(measure=NAMES[measure], warning=self.warning, alarm=self.alarm)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallboardRules:
    """What an operator sets: thresholds of measures, of agents' states in seconds, and the colour of each level."""

    thresholds: Mapping[Measure, Thresholds] = field(default_factory=lambda: SHIPPED_THRESHOLDS)
    states: Mapping[TimedState, Thresholds] = field(default_factory=lambda: SHIPPED_STATES)
    colours: Mapping[Level, str] = field(default_factory=lambda: SHIPPED_COLOURS)

    def level(self, measure: Measure, value: float | None) -> Level:
        thresholds = self.thresholds.get(measure, Thresholds())
        return thresholds.level(value, low_is_bad=measure in LOW_IS_BAD)

    def level_of_state(self, state: str, seconds: float | None) -> Level:
        if state not in list(TimedState):
            return Level.NORMAL
        return self.states.get(TimedState(state), Thresholds()).level(seconds)

    def check(self) -> None:
        """Raises `ThresholdsInverted`, `ShareBeyondOne` or `ColourUnreadable`."""
        for measure, thresholds in self.thresholds.items():
            if measure in SHARES:
                check_share(NAMES[measure], thresholds.warning, thresholds.alarm)
            thresholds.check(measure, low_is_bad=measure in LOW_IS_BAD)
        for state, thresholds in self.states.items():
            thresholds.check(state)
        for level, colour in self.colours.items():
            found = contrast(colour, BACKGROUND)
            if found < _LEAST_CONTRAST:
                raise ColourUnreadable(
                    level=NAMES[level], colour=colour, contrast=round(found, 1), needed=_LEAST_CONTRAST
                )


SHIPPED_THRESHOLDS: Mapping[Measure, Thresholds] = {
    Measure.WAITING: Thresholds(warning=5, alarm=10),
    Measure.LONGEST_WAIT: Thresholds(warning=60, alarm=120),
    Measure.CONNECT_RATE: Thresholds(warning=0.90, alarm=0.85),
    Measure.SERVICE_LEVEL_3: Thresholds(warning=0.80, alarm=0.70),
    Measure.ABANDONMENT_RATE: Thresholds(warning=0.05, alarm=0.08),
    Measure.SPEED_OF_ANSWER: Thresholds(warning=20, alarm=40),
    Measure.READY_AGENTS: Thresholds(warning=2, alarm=1),
    Measure.NEAR_LIMIT: Thresholds(warning=0),
    Measure.OVER_LIMIT: Thresholds(warning=0, alarm=5),
    Measure.LAG: Thresholds(warning=300),
}
SHIPPED_STATES: Mapping[TimedState, Thresholds] = {
    TimedState.ON_CALL: Thresholds(warning=900, alarm=1_800),
    TimedState.AFTER_CALL_WORK: Thresholds(warning=120, alarm=300),
    TimedState.PAUSED: Thresholds(warning=900, alarm=1_800),
}
SHIPPED_COLOURS: Mapping[Level, str] = {Level.NORMAL: "#e8edf2", Level.WARNING: "#ffb454", Level.ALARM: "#ff7b72"}


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours `#rrggbb`, from 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
