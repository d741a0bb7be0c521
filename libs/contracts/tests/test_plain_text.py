"""One spelling: what looks the same and is typed differently is compared as the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.plain_text import plain_line, plain_name, plain_prose, plain_reference


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("１０００１", "10001"),
        ("ＡＢ－１２", "AB-12"),
        ("10\u200b001", "10001"),
        ("\ufeff10001\u2060", "10001"),
        ("\u202e10001\u202c", "10001"),
        ("10\u00ad001", "10001"),
        ("  10001　", "10001"),
        ("A \u3000 1", "A 1"),
        ("10001\ufe0f", "10001"),
        ("e\u0301", "é"),
        ("e\u200d\u0301", "é"),
        ("ﬁ-1", "fi-1"),
        ("\u3164", ""),
        ("\u200b", ""),
        ("10\u2065001", "10001"),  # default ignorable, and no character yet
        ("10\ufff0001", "10001"),
        ("10\U000e0080001", "10001"),
        ("10\U000e0fff001", "10001"),
        ("10001\u2800", "10001"),
        ("\u2800", ""),
    ],
)
def test_a_reference_has_one_spelling(typed: str, plain: str) -> None:
    assert plain_reference(typed) == plain


@pytest.mark.parametrize(
    "name",
    [
        "王强",
        "〇一",
        "阿卜杜拉·买买提",
        "司馬光",
        "\uf9d1",  # 六 as Korean standards have it: NFC would replace it
        "林\ufa19平",
        "O’Neill",
        "José",
    ],
)
def test_a_name_keeps_its_characters(name: str) -> None:
    assert plain_name(name) == name


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("王\u200b强", "王强"),
        ("王\u202e强", "王强"),
        ("Ｗａｎｇ　Ｑｉａｎｇ", "Wang Qiang"),
        ("人民路１２号", "人民路12号"),
        (" Ann  Lee ", "Ann Lee"),
        ("Jose\u0301", "José"),
        ("\uf9d1\u200b １", "\uf9d1 1"),
    ],
)
def test_a_name_has_one_spelling(typed: str, plain: str) -> None:
    assert plain_name(typed) == plain


def test_a_title_keeps_its_typography_and_loses_what_misleads() -> None:
    assert plain_line("如何重启（机顶盒）？") == "如何重启（机顶盒）？"
    assert plain_line("a\u202egnp.exe\u200b") == "agnp.exe"


def test_free_text_keeps_line_breaks_and_emoji() -> None:
    family = "👨\u200d👩\u200d👧 ❤️"
    assert plain_prose(f"first\n\t{family}  second") == f"first\n\t{family}  second"
    assert plain_prose("no\u202e picture\u2066\u200b") == "no picture"


@given(st.text())
def test_the_spelling_of_a_spelling_is_the_same(text: str) -> None:
    for spell in (plain_reference, plain_name, plain_line, plain_prose):
        assert spell(spell(text)) == spell(text)


@given(st.text())
def test_a_reference_is_normalised_and_has_nothing_invisible(text: str) -> None:
    plain = plain_reference(text)
    assert unicodedata.is_normalized("NFKC", plain)
    assert not any(unicodedata.category(character) == "Cf" for character in plain)
