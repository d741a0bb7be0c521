"""Look-alikes are different texts, and are shown as such."""

import pytest

from contracts.look_alikes import Likeness, LookAlike, has_mixed_scripts, look_alikes, skeleton


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("AB-12", "\u0410\u0412-12"),  # Cyrillic
        ("AB-12", "\u0391\u0392-12"),  # Greek
        ("O1", "01"),
        ("l0", "1O"),
        ("I1", "l1"),
        ("\u53e3", "\u30ed"),  # 口 and katakana ロ
        ("\u3007", "0"),
        ("ip-7", "\u0456\u0440-7"),
        ("\uff21", "A"),
        *(("AB-12", f"AB{dash}12") for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u02d7\u2212\u2500\u30fc"),
    ],
)
def test_what_looks_the_same_has_one_skeleton(text: str, other: str) -> None:
    assert skeleton(text) == skeleton(other)


@pytest.mark.parametrize(("text", "other"), [("AB-12", "AB-13"), ("L1", "11"), ("王强", "王弜"), ("B", "8")])
def test_what_looks_different_has_not(text: str, other: str) -> None:
    assert skeleton(text) != skeleton(other)


@pytest.mark.parametrize("text", ["\u0410bc", "Иван I\u0432an", "p\u03bfst"])
def test_scripts_that_look_alike_in_one_word_are_mixed(text: str) -> None:
    assert has_mixed_scripts(text)


@pytest.mark.parametrize("text", ["王A强", "Иван Ivan", "カラオケ店", "阿卜杜拉·买买提", "Ω-7", "José", "10001", ""])
def test_scripts_that_go_together_are_not(text: str) -> None:
    assert not has_mixed_scripts(text)


def test_a_text_is_shown_with_those_that_look_like_it() -> None:
    assert look_alikes("subscriber_no", "\u0410B1", ["AB1", "\u0410B1", "AB2", "ABl"]) == [
        LookAlike("subscriber_no", Likeness.LOOKS_LIKE, "AB1"),
        LookAlike("subscriber_no", Likeness.LOOKS_LIKE, "ABl"),
        LookAlike("subscriber_no", Likeness.MIXED_SCRIPTS),
    ]
