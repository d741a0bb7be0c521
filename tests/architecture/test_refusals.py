"""A refusal's sentence shows names and local times; codes and UTC stay in the machine-readable members."""

import ast
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from deploy import reference_pages

from contracts import names
from contracts.access import Role
from contracts.events import SlaClock, Urgency
from contracts.lifecycle import Act, Service, Status
from contracts.links import LinkKind
from contracts.names import CATALOGUE
from contracts.partners import SubscriberField
from contracts.quality import FollowUpCause
from contracts.refusals import TIME, Conflict, Refusal
from qa.evaluation.domain.evaluation import ReviewState
from qa.follow_up.domain.follow_up import FollowUpState
from reporting.rebuilds.api import Rebuild
from reporting.reports.api import Report

ROOT = Path(__file__).parents[2]
REFUSALS = reference_pages.refusals_of(reference_pages.packages_of(ROOT))
SHANGHAI = ZoneInfo("Asia/Shanghai")
MOMENT = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*(\+\d\d:?\d\d|Z)|\d{4}-\d\d-\d\dT\d\d")
AS_IT_IS = frozenset(
    [
        "adjudicator",
        "alarm",
        "alarm_id",
        "amended_version",
        "areas",
        "article_id",
        "auditor",
        "auditors",
        "budget",
        "calendar",
        "call_id",
        "calls_from",
        "calls_until",
        "case_id",
        "codes",
        "colour",
        "contrast",
        "count",
        "day",
        "days",
        "demand_type",
        "device_type",
        "difference_count",
        "dimension",
        "dimensions",
        "event_id",
        "expected",
        "expected_version",
        "external_reference",
        "fewest",
        "field",
        "given",
        "hold_id",
        "holder",
        "id",
        "impossible",
        "is_open",
        "is_petitioned",
        "is_resolved",
        "item",
        "items",
        "judge",
        "key",
        "known",
        "level",
        "limit",
        "link_id",
        "local_time",
        "longest_days",
        "longest_minutes",
        "measure",
        "method",
        "metric",
        "minutes",
        "missing",
        "most",
        "name",
        "next_sequence",
        "order_id",
        "order_no",
        "order_nos",
        "outage_id",
        "parameter",
        "parameters",
        "parked_id",
        "partner_id",
        "path",
        "period",
        "place",
        "pointer",
        "present_version",
        "present_work_area_id",
        "quantity",
        "question",
        "quota",
        "reason",
        "reasons",
        "rebuild_id",
        "recording_id",
        "referral_id",
        "rejection_count",
        "repeated",
        "report_id",
        "request_id",
        "requests_per_second",
        "retry_after_seconds",
        "schedule",
        "seconds",
        "seen_version",
        "sequence",
        "size",
        "staff_id",
        "staff_ids",
        "order_ids",
        "stratum",
        "streams",
        "subject",
        "subscriber_id",
        "subscriber_no",
        "time_zone",
        "topic",
        "total",
        "unknown",
        "value",
        "version",
        "versions",
        "warning",
        "work_area_id",
        "year",
    ]
)
"""Placeholders without a kind: ids, counts, what a client typed or must type, and values with names of their own."""
NUMBERS = {("ColourUnreadable", "needed")}
ONE_OF_ITS_OWN = {"TokenRefused": "expired", "MalformedRequest": "the body is not JSON"}
"""Reasons with a list of their own in the class's module."""


def kinds_of(template: str) -> dict[str, str]:
    return {name: kind or "" for _, name, kind, _ in string.Formatter().parse(template) if name is not None}


def samples(refusal: type[Refusal]) -> Iterator[dict[str, Any]]:
    """Contexts of a refusal in which each of its placeholders shows each code of its kind, alone or in a list."""
    kinds = kinds_of(refusal.template("en"))
    plain = ONE_OF_ITS_OWN.get(refusal.__name__, "N0")
    filled = {name: plain for name, kind in kinds.items() if not kind}
    for moment in (MOMENT, MOMENT.isoformat()):
        of_kind = {name: moment if kind == TIME else list(CATALOGUE[kind]) for name, kind in kinds.items() if kind}
        yield filled | of_kind
    for number in range(max((len(CATALOGUE[kind]) for kind in kinds.values() if kind in CATALOGUE), default=0)):
        codes = {name: list(CATALOGUE[kind]) for name, kind in kinds.items() if kind in CATALOGUE}
        times = {name: MOMENT for name, kind in kinds.items() if kind == TIME}
        yield filled | times | {name: of[number % len(of)] for name, of in codes.items()}


def faults(refusal: type[Refusal]) -> Iterator[str]:
    """Codes and UTC that people would read in the sentences of a refusal."""
    for language in ("en", "zh"):
        template = refusal.template(language)
        kinds = kinds_of(template)
        for name, kind in kinds.items():
            if not kind and name not in AS_IT_IS and (refusal.__name__, name) not in NUMBERS:
                yield f"{language}: {name} has no kind, such as {{{name}:time}}, and is not listed as shown as it is"
        for context in samples(refusal):
            text = refusal(**context).message(language, SHANGHAI)
            for code in codes_shown(text, template, language):
                yield f"{language}: the code {code} in {text!r}"
            if ISO_TIME.search(text) or (TIME in kinds.values() and "2026-11-30 22:05" not in text):
                yield f"{language}: not a local time in {text!r}"


def codes_shown(text: str, template: str, language: str) -> set[str]:
    """Codes that values put into a text, and that are no part of a name of theirs in this language."""
    kinds = kinds_of(template)
    literal = " ".join(part for part, _, _, _ in string.Formatter().parse(template))
    words = set(re.findall(r"[a-z_]+", text)) - set(re.findall(r"[a-z_]+", literal))
    tables = [CATALOGUE[kind] for kind in kinds.values() if kind in CATALOGUE]
    spoken = {word for table in tables for each in table.values() for word in re.findall("[a-z]+", each.en)}
    return words & {code for table in tables for code in table} - (spoken if language == "en" else set())


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal.__module__}.{refusal.__name__}")
def test_a_sentence_shows_names_and_local_times(refusal: type[Refusal]) -> None:
    assert list(faults(refusal)) == []


def test_codes_and_utc_in_a_sentence_are_caught() -> None:
    class Coded(Conflict):
        """The order is {order_status}."""

        zh = "工单状态为 {order_status:status}。"

    class InUtc(Conflict):
        """It was closed at {closed_at}."""

        zh = "已于 {closed_at:time} 结束。"

    assert any(fault.startswith("en: order_status has no kind") for fault in faults(Coded))
    assert any(fault.startswith("en: closed_at has no kind") for fault in faults(InUtc))
    assert codes_shown("处于 redispatching 状态", "处于 {order_status:status} 状态", "zh") == {"redispatching"}
    assert codes_shown("it is redispatching", "it is {order_status:status}", "en") == {"redispatching"}
    assert ISO_TIME.search("at 2026-11-30T14:05:00+00:00.")
    assert ISO_TIME.search("at 2026-11-30 14:05:00+00:00.")


def raised_with() -> Iterator[tuple[str, str, str, str]]:
    """Where in the source a refusal is made: the place, its class, a keyword and the keyword's value."""
    known = {refusal.__name__ for refusal in REFUSALS}
    for file in sorted([*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py")]):
        for node in ast.walk(ast.parse(file.read_text())):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in known:
                for keyword in node.keywords:
                    yield f"{file.name}:{node.lineno}", name, keyword.arg or "", ast.unparse(keyword.value)


def test_what_is_raised_with_a_time_or_a_code_says_of_which_kind_it_is() -> None:
    kinds = {refusal.__name__: kinds_of(refusal.template("en")) for refusal in REFUSALS}
    found = list(raised_with())
    moments = [row for row in found if ".isoformat(" in row[3]]
    codes = [row for row in found if row[3].endswith(".value") and row[1] != "DimensionNotOfMetric"]
    assert len(moments) > 10
    assert len(codes) > 5
    assert [row for row in moments if kinds[row[1]].get(row[2], TIME) != TIME] == []
    assert [row for row in codes if not kinds[row[1]].get(row[2], "unused")] == []


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("status", [*Status, "suspended"]),
        ("act", Act),
        ("service", Service),
        ("role", Role),
        ("clock", SlaClock),
        ("urgency", Urgency),
        ("link_kind", LinkKind),
        ("cause", FollowUpCause),
        ("follow_up_state", FollowUpState),
        ("review_state", ReviewState),
        ("report_state", get_args(Report.model_fields["state"].annotation)),
        ("rebuild_state", get_args(Rebuild.model_fields["state"].annotation)),
        ("subscriber_field", SubscriberField),
    ],
)
def test_the_catalogue_names_every_code_of_a_kind_and_no_other(kind: str, codes: Any) -> None:
    assert set(CATALOGUE[kind]) == set(codes)
    for each in CATALOGUE[kind].values():
        assert each.en
        assert "_" not in each.en
        assert re.search(r"[\u4e00-\u9fff]", each.zh)


def test_every_kind_that_a_sentence_names_is_in_the_catalogue() -> None:
    used = {kind for refusal in REFUSALS for kind in kinds_of(refusal.template("zh")).values() if kind}
    assert used == {*names.CATALOGUE, TIME}
