"""Texts that people take for one another: Cyrillic А for Latin A, O for 0, the katakana ロ for 口.

Normalisation (`plain_text`) leaves them apart, as it must: they are different characters. So they are shown as such.
The pairs are those of Unicode's confusables (UTS #39, confusables.txt) that keyboards of our trade can type: Latin,
Greek and Cyrillic capitals, digits, dashes, and kana with Han. Several scripts in one word are judged as its "highly
restrictive" level does: Han goes with kana, Hangul, Bopomofo and Latin; Latin, Greek and Cyrillic do not mix.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from contracts.plain_text import plain_reference

_LOOKING_LIKE = {
    "A": "\u0410\u0391",
    "B": "\u0412\u0392",
    "E": "\u0415\u0395",
    "Z": "\u0396",
    "H": "\u041d\u0397",
    "K": "\u041a\u039a",
    "M": "\u041c\u039c",
    "N": "\u039d",
    "P": "\u0420\u03a1",
    "C": "\u0421\u03f9",
    "T": "\u0422\u03a4",
    "Y": "\u0423\u03a5",
    "X": "\u0425\u03a7",
    "J": "\u0408",
    "S": "\u0405",
    "Q": "\u051a",
    "W": "\u051c",
    "0": "O\u041e\u039f\u3007\u25cb",
    "1": "lI|\u0406\u0399\u04c0",
    "\u53e3": "\u30ed",
    "\u529b": "\u30ab",
    "\u5de5": "\u30a8",
    "\u516b": "\u30cf",
    "\u5915": "\u30bf",
    "\u535c": "\u30c8",
    "\u4e8c": "\u30cb",
    "-": "\u2010\u2012\u2013\u2014\u2015\u2043\u02d7\u2212\u2500\u30fc\u4e00",
}
"""By the character that stands for all of them."""


def _table() -> dict[str, str]:
    table = {letter: letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"} | dict.fromkeys("\u0456\u03b9", "I")
    for target, others in _LOOKING_LIKE.items():
        # The capital I looks like 1, and i does not; elsewhere both cases do.
        table |= dict.fromkeys(others if target == "1" else others + others.lower(), target)
    return table


TABLE = _table()
"""Also in intake's SQL function `look_alike`, which indexes what is stored."""
_TRANSLATION = str.maketrans(TABLE)
_APART = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC")
_WORD = re.compile(r"[^\W\d_]+")


class Likeness(StrEnum):
    LOOKS_LIKE = "looks_like"
    """Another text that is in use looks the same."""
    MIXED_SCRIPTS = "mixed_scripts"
    """A word has letters of scripts that look alike."""


@dataclass(frozen=True, slots=True)
class LookAlike:
    field: str
    likeness: Likeness
    value: str | None = None
    """The text that is in use already."""


def skeleton(text: str) -> str:
    """The same for texts that look the same; only to compare with, never shown."""
    return plain_reference(text).translate(_TRANSLATION)


def has_mixed_scripts(text: str) -> bool:
    """Whether one word has letters of two of the scripts whose letters look alike."""
    return any(len(_scripts(word)) > 1 for word in _WORD.findall(text))


def _scripts(word: str) -> set[str]:
    names = (unicodedata.name(character, "") for character in word)
    return {script for name in names for script in _APART if name.startswith(script + " ")}


def look_alikes(field: str, text: str, in_use: Iterable[str]) -> list[LookAlike]:
    """What to warn of: other texts in use that look like this one, and mixed scripts in it."""
    own = skeleton(text)
    similar = (other for other in in_use if other != text and skeleton(other) == own)
    found = [LookAlike(field, Likeness.LOOKS_LIKE, other) for other in similar]
    if has_mixed_scripts(text):
        found.append(LookAlike(field, Likeness.MIXED_SCRIPTS))
    return found
