from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from contracts import refusals
from contracts.directory import Names
from contracts.refusals import Conflict, Refusal

FAMILIES = [kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)]


class StaffOutsideWorkArea(Conflict):
    """{staff_id} is not of {work_area_id}."""

    zh = "{staff_id} 不属于 {work_area_id}。"


class TooLate(Conflict):
    """{act:act} by {roles:role} was possible until {until:time}, in {place}, from {begins}: {is_over}."""

    zh = "{roles:role}须在 {until:time}之前{act:act}，{place}，{begins}：{is_over}。"


def too_late(until: object) -> TooLate:
    return TooLate(
        act="fail_audit",
        roles=["auditor", "janitor"],
        until=until,
        place=Names("the hall", "大厅"),
        begins=time(9),
        is_over=True,
    )


def test_the_code_is_the_class_name_in_snake_case() -> None:
    assert StaffOutsideWorkArea.code == "staff_outside_work_area"


def test_the_docstring_filled_with_the_context_is_the_message() -> None:
    refusal = StaffOutsideWorkArea(staff_id="s-1", work_area_id="north")
    assert str(refusal) == refusal.message("en") == "s-1 is not of north."
    assert refusal.message("zh") == "s-1 不属于 north。"


def test_braces_in_the_context_stay_as_they_are() -> None:
    assert str(StaffOutsideWorkArea(staff_id="{x}", work_area_id="{0}")) == "{x} is not of {0}."


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_sentence_in_both_languages(family: type[Refusal]) -> None:
    assert family().message("en").endswith(".")
    assert family().message("zh").endswith("。")


MOMENT = datetime(2026, 11, 30, 18, 5, tzinfo=UTC)


@pytest.mark.parametrize("until", [MOMENT, MOMENT.isoformat()])
def test_a_message_shows_names_and_the_local_times_of_a_zone(until: object) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert too_late(until).message("en", zone) == (
        "fail the audit by auditor, janitor was possible until 2026-12-01 02:05 (Asia/Shanghai),"
        " in the hall, from 09:00: yes."
    )
    assert too_late(until).message("zh", zone) == (
        "审核员、janitor须在 2026-12-01 02:05（北京时间）之前审核不通过，大厅，09:00：是。"
    )


def test_the_context_keeps_codes_and_utc() -> None:
    assert too_late(MOMENT).context["act"] == "fail_audit"
    assert too_late(MOMENT).context["until"] is MOMENT


def test_a_moment_without_a_zone_of_a_reader_is_shown_in_utc_and_seconds_where_there_are_any() -> None:
    assert "until 2026-11-30 18:05:07 (UTC)," in too_late(MOMENT.replace(second=7)).message("en")
    assert "until –," in too_late(None).message("en")
