"""When something on the wallboard is a warning or an alarm."""

import pytest

from reporting.ratios import ShareBeyondOne
from reporting.wallboard.levels import (
    BACKGROUND,
    LOW_IS_BAD,
    NAMES,
    SHARES,
    SHIPPED_COLOURS,
    ColourUnreadable,
    Level,
    Measure,
    Thresholds,
    ThresholdsInverted,
    TimedState,
    WallboardRules,
    contrast,
)
from reporting.wallboard.views import _ready


@pytest.mark.parametrize(
    ("value", "level"),
    [(None, "normal"), (0, "normal"), (5, "normal"), (5.1, "warning"), (10, "warning"), (11, "alarm")],
)
def test_a_value_beyond_a_threshold_has_its_level(value: float | None, level: str) -> None:
    assert Thresholds(warning=5, alarm=10).level(value) == level


@pytest.mark.parametrize(("value", "level"), [(0.8, "normal"), (0.79, "warning"), (0.7, "warning"), (0.69, "alarm")])
def test_where_a_low_value_is_bad_beyond_is_below(value: float, level: str) -> None:
    rules = WallboardRules(thresholds={Measure.SERVICE_LEVEL_3: Thresholds(warning=0.8, alarm=0.7)})
    assert rules.level(Measure.SERVICE_LEVEL_3, value) == level


def test_a_measure_without_a_threshold_is_never_a_warning() -> None:
    rules = WallboardRules(thresholds={}, states={})
    assert {rules.level(measure, 1e9) for measure in Measure} == {Level.NORMAL}
    assert rules.level_of_state("paused", 1e9) == rules.level_of_state("ready", 1e9) == Level.NORMAL


def test_an_alarm_alone_is_enough() -> None:
    assert Thresholds(alarm=1).level(2) is Level.ALARM


def test_an_alarm_before_its_warning_is_refused() -> None:
    for measure in Measure:
        first, second = (0.1, 0.2) if measure in LOW_IS_BAD else (0.2, 0.1)
        with pytest.raises(ThresholdsInverted):
            WallboardRules(thresholds={measure: Thresholds(warning=first, alarm=second)}).check()
        WallboardRules(thresholds={measure: Thresholds(warning=second, alarm=first)}).check()


@pytest.mark.parametrize(
    ("agents", "silent", "ready"), [({}, 0, None), ({}, 6, 0), ({"paused": 1}, 0, 0), ({"ready": 2}, 3, 2)]
)
def test_where_all_agents_are_silent_none_is_ready(agents: dict[str, int], silent: int, ready: int | None) -> None:
    assert _ready({"agents": agents, "silent_agents": silent}) == ready


def test_a_share_beyond_one_is_refused() -> None:
    for measure in Measure:
        rules = WallboardRules(thresholds={measure: Thresholds(warning=1.01)})
        if measure in SHARES:
            with pytest.raises(ShareBeyondOne):
                rules.check()
        else:
            rules.check()


def test_a_colour_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ColourUnreadable):
        WallboardRules(colours={**SHIPPED_COLOURS, Level.ALARM: "#400000"}).check()
    WallboardRules().check()


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast(BACKGROUND, BACKGROUND) == 1


def test_everything_that_can_be_refused_has_a_name() -> None:
    assert set(NAMES) == {*Measure, *TimedState, *Level}
