import pytest

from contracts import refusals
from contracts.refusals import Conflict, Refusal

FAMILIES = [kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)]


class StaffOutsideWorkArea(Conflict):
    """{staff_id} is not of {work_area_id}."""

    zh = "{staff_id} 不属于 {work_area_id}。"


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
