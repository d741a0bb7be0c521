"""`linework metrics`, `figures` and `report` as they are typed."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result

from linework.stopped import Stopped

Typed = Callable[..., Result]

FIGURE = {
    "metric": {"id": "connect_rate", "version": 1, "kind": "ratio", "unit": "share", "formula": "answered / offered"},
    "window": {"from": "2026-03-01T16:00:00Z", "to": None},
    "time_zone": "Asia/Shanghai",
    "calendar": "Gregorian",
    "read_up_to": {"recorded_at": "2026-03-02T08:00:00Z"},
    "is_complete": False,
    "rows": [
        {
            "queue": "咨询",
            "numerator": 460,
            "denominator": 510,
            "value": 0.901961,
            "display": {"numerator": "460", "denominator": "510", "value": "90.2%"},
        },
    ],
}


@pytest.fixture
def asked(city: Any) -> list[str]:
    """What reporting was asked for."""
    seen: list[str] = []

    def answer(method: str, path: str, body: Any) -> Any:
        seen.append(f"{method} {path}")
        if path == "metrics":
            metric = {**FIGURE["metric"], "name_en": "Connect rate", "name_zh": "接通率", "dimensions": ["queue"]}
            return 200, {"items": [metric]}
        if path == "rules/figures":
            return 200, {"time_zone": "Asia/Kolkata"}
        return 200, FIGURE

    city.extra = answer
    return seen


def test_the_registry_is_listed_with_its_formulas(typed: Typed, asked: list[str]) -> None:
    output = typed("metrics").output
    assert "connect_rate v1  Connect rate 接通率  (share)" in output
    assert "answered / offered" in output


def test_figures_are_shown_with_what_they_are_and_how_far_the_stream_was_read(typed: Typed, asked: list[str]) -> None:
    output = typed("figures", "connect_rate", "--from", "2026-03-02", "--by", "queue").output
    assert "咨询" in output
    assert "90.2%" in output
    assert "0.901961" not in output
    assert "display" not in output
    assert "the stream has not been read beyond the window" in " ".join(output.split())


def test_figures_are_given_as_json_as_rest_gives_them(typed: Typed, asked: list[str]) -> None:
    assert json.loads(typed("figures", "connect_rate", "--json").output) == [FIGURE]
    assert asked == ["GET figures/connect_rate"]


@pytest.mark.parametrize(
    ("arguments", "paths", "begin", "zone"),
    [
        (("--from", "2026-03-02"), ["rules/figures", "figures/connect_rate"], "2026-03-02T00:00:00+05:30", None),
        (("--from", "2026-03-02T08:00+08:00"), ["figures/connect_rate"], "2026-03-02T08:00:00+08:00", None),
        (("--from", "2026-03-02", "--zone", "UTC"), ["figures/connect_rate"], "2026-03-02T00:00:00+00:00", "UTC"),
        ((), ["figures/connect_rate"], None, None),
    ],
)
def test_without_a_zone_none_is_sent_and_dates_are_of_the_zone_of_the_rules(
    city: Any,
    typed: Typed,
    asked: list[str],
    arguments: tuple[str, ...],
    paths: list[str],
    begin: str | None,
    zone: str | None,
) -> None:
    assert typed("figures", "connect_rate", *arguments).exit_code == 0
    assert asked == [f"GET {path}" for path in paths]
    sent = dict(parse_qsl(city.queries[-1]))
    assert (sent.get("from"), sent.get("time_zone")) == (begin, zone)


@pytest.mark.parametrize("arguments", [("--from", "yesterday"), ("--from", "2026-03-02", "--zone", "Asia/Atlantis")])
def test_a_time_that_is_none_is_told_in_a_sentence(typed: Typed, asked: list[str], arguments: tuple[str, ...]) -> None:
    assert isinstance(typed("figures", "connect_rate", *arguments).exception, Stopped)
    assert asked == []


def test_what_is_wrong_with_a_question_is_said(city: Any, typed: Typed) -> None:
    wrong = {"in": "query", "pointer": "/group_by/0", "wrong": "Input should be 'queue' or 'team'"}
    problem = {"code": "invalid_request", "detail": "1 value(s) of the request are not right.", "errors": [wrong]}
    city.extra = lambda *_: (422, problem)
    said = str(typed("figures", "connect_rate", "--by", "nope").exception)
    assert said == "1 value(s) of the request are not right. /group_by/0: Input should be 'queue' or 'team'"


def test_a_metric_that_is_none_is_not_counted_again_without_a_word(typed: Typed, asked: list[str]) -> None:
    stopped = typed("recount", "connect_rate", "nope").exception
    assert isinstance(stopped, Stopped)
    assert "There is no metric nope" in str(stopped)
    assert asked == ["GET metrics"]


# 26 hours apart: at any moment it is another day than this machine's in one of them.
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_a_report_is_of_yesterday_in_the_zone_of_the_rules(city: Any, typed: Typed, tmp_path: Path, zone: str) -> None:
    asked: list[Any] = []

    def answer(method: str, path: str, body: Any) -> Any:
        if path == "rules/figures":
            return 200, {"time_zone": zone}
        asked.append(body)
        return 200, {"id": 7, "state": "failed", "section_count": 9, "failure": "no disk"}

    city.extra = answer
    typed("report", "daily", "--out", tmp_path / "x")
    there = datetime.now(ZoneInfo(zone)).date()
    assert asked[0]["day"] == (there - timedelta(days=1)).isoformat()


def test_a_report_is_waited_for_and_written_with_its_manifest(
    city: Any, typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linework.reports._LOOK_EVERY_SECONDS", 0)
    states = ["waiting", "building", "ready"]

    def answer(method: str, path: str, body: Any) -> Any:
        if path.endswith("/file"):
            return 200, base64.b64encode(b"file").decode()
        state = states.pop(0)
        manifest = {"digest": "sha256:x"} if state == "ready" else None
        return 200, {"id": 7, "state": state, "section_count": 9, "done_count": 3, "manifest": manifest}

    city.extra = answer
    file = tmp_path / "report.pdf"
    done = typed("report", "daily", "--day", "2026-03-02", "--format", "pdf", "--out", file)
    assert (done.exit_code, done.output.strip()) == (0, str(file))
    assert file.stat().st_size > 0
    assert json.loads((tmp_path / "report.pdf.manifest.json").read_text()) == {"digest": "sha256:x"}


def test_a_report_that_failed_says_why(city: Any, typed: Typed) -> None:
    city.extra = lambda *_: (200, {"id": 7, "state": "failed", "section_count": 9, "failure": "no disk"})
    assert "no disk" in str(typed("report", "daily", "--day", "2026-03-02").exception)
