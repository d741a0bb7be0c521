"""Words of a text, Chinese and English, and what a misspelt word may have been meant to be.

Chinese has no spaces: words come from a dictionary, long ones with the words inside them, so that 机顶盒 is found by
机顶 too. A word that no article has is compared with those that they have: by its letters, and in Chinese above all by
its sound, for that is how characters are mistaken. A misspelt Chinese word falls apart when it is cut, so its pieces
are compared joined as well.
"""

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import rjieba
from pypinyin import Style, lazy_pinyin
from rapidfuzz import fuzz, process, utils
from rapidfuzz.distance import OSA

# Sounds are compared character by character; the readings of whole phrases would take 43 MB more.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")


_LONGEST_WORD = 40
_MOST_GUESSES = 3
_SAME_SOUND = 0.9
_LONGEST_JOIN = 3

STOP_WORDS = frozenset("的了是在我你他她它们和与或也都就吗呢吧啊请") | {
    "a",
    "an",
    "and",
    "are",
    "in",
    "is",
    "of",
    "on",
    "or",
    "the",
    "to",
}
"""Words that say nothing about what a text is about."""


@cache
def _cutter() -> rjieba.Jieba:
    """The dictionary, 58 MB of it: loaded with the first search or article."""
    return rjieba.Jieba()


@dataclass(frozen=True, slots=True)
class Meant:
    """A word that articles have, and how sure it is that it was meant, from 0 to 1."""

    word: str
    sureness: float


def _plain(text: str) -> str:
    """Without punctuation, in lower case, and letters of full width, as Chinese keyboards write them, in their own."""
    return utils.default_process(unicodedata.normalize("NFKC", text))


def words(text: str) -> list[str]:
    """The words of a text, in their order, in lower case."""
    found = (word.strip().lower() for word in _cutter().cut_for_search(_plain(text)))
    return [word[:_LONGEST_WORD] for word in found if word and word not in STOP_WORDS]


def pieces(query: str) -> list[str]:
    """The words of a query as they stand, without those inside them."""
    found = (word.strip().lower() for word in _cutter().cut(_plain(query)))
    return [word[:_LONGEST_WORD] for word in found if word and word not in STOP_WORDS]


def unknown_runs(query: Sequence[str], known: Iterable[str]) -> list[str]:
    """What may be one misspelt word: a piece that no article has, alone and joined with its neighbours."""
    known = set(known)
    runs: dict[str, None] = {}
    for start in range(len(query)):
        for end in range(start + 1, min(len(query), start + _LONGEST_JOIN) + 1):
            run = query[start:end]
            is_joinable = end - start == 1 or all(_is_chinese(piece) for piece in run)
            if is_joinable and not known.issuperset(run):
                runs["".join(run)] = None
    return list(runs)


def meant_by(word: str, vocabulary: Sequence[str]) -> list[Meant]:
    """The words of the vocabulary that are like a word, the likeliest first."""
    if _is_chinese(word):
        found = _sounding_like(word, vocabulary)
    else:
        found = {other: fuzz.ratio(word, other) / 100 for other in _near(word, vocabulary, 2 if len(word) >= 8 else 1)}
    likely = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Meant(other, sureness) for other, sureness in likely[:_MOST_GUESSES]]


def _sounding_like(word: str, vocabulary: Sequence[str]) -> dict[str, float]:
    """Words of the same sound; of three characters and more also those with one of them wrong."""
    sound = _sound(word)
    found = {other: fuzz.ratio(word, other) / 100 for other in _near(word, vocabulary, 1) if len(word) >= 3}
    same = [other for other in vocabulary if len(other) == len(word) and _is_chinese(other) and _sound(other) == sound]
    return found | dict.fromkeys(same, _SAME_SOUND)


def _near(word: str, vocabulary: Sequence[str], most: int) -> list[str]:
    if len(word) < 3:
        return []
    near = process.extract(word, vocabulary, scorer=OSA.distance, score_cutoff=most, limit=_MOST_GUESSES * 4)
    return [other for other, _, _ in near if len(other) >= 3 and _is_chinese(other) == _is_chinese(word)]


@lru_cache(maxsize=100_000)
def _sound(word: str) -> str:
    """How it is spoken, without tones: mistaken characters mostly differ in nothing else."""
    return " ".join(lazy_pinyin(word, style=Style.NORMAL))


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def weights(title: str, body: str, keywords: Iterable[str]) -> Mapping[str, int]:
    """How much each word of an article counts: keywords more than the title, the title more than the body."""
    found: dict[str, int] = {}
    for text, weight in ((body, 1), (title, 4), (" ".join(keywords), 6)):
        for word in words(text):
            found[word] = min(found.get(word, 0) + weight, 100)
    return found
