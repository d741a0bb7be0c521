"""Ranking articles as BM25 does: a word counts more the fewer articles have it, and less each time it comes again.

A word that was guessed counts as much less as it is unlike what was typed. Of two articles that say the same, the one
that has settled more calls stands first.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from intake.knowledge.domain import Article

_SATURATION = 4.0
_FOR_DEMAND_TYPE = 1.3
_FOR_USES = 0.05

Occurrences = Mapping[str, Mapping[str, int]]
"""By word: the ids of the articles that have it, and how much it counts there."""


@dataclass(frozen=True, slots=True)
class Found:
    article: Article
    score: float
    words: tuple[str, ...]
    """The words of the article that were found, guessed ones included."""


def scores(found: Occurrences, sureness: Mapping[str, float], article_count: int) -> dict[str, float]:
    """By article; `sureness` of a word is from 0 to 1."""
    summed: dict[str, float] = {}
    for word, weights in found.items():
        rarity = math.log(1 + (article_count - len(weights) + 0.5) / (len(weights) + 0.5))
        for article_id, weight in weights.items():
            frequency = weight * (_SATURATION + 1) / (weight + _SATURATION)
            summed[article_id] = summed.get(article_id, 0.0) + rarity * frequency * sureness[word]
    return summed


def rank(
    articles: Iterable[Article],
    scored: Mapping[str, float],
    found: Occurrences,
    sureness: Mapping[str, float],
    *,
    demand_type: str | None,
) -> list[Found]:
    """The articles with their final scores, the best first; those of the demand type are raised."""
    ranked = [
        Found(article, _raised(scored[article.id], article, demand_type), _words_in(article.id, found, sureness))
        for article in articles
    ]
    return sorted(ranked, key=lambda result: (-result.score, result.article.id))


def _raised(score: float, article: Article, demand_type: str | None) -> float:
    if demand_type is not None and article.demand_type == demand_type:
        score *= _FOR_DEMAND_TYPE
    return round(score * (1 + _FOR_USES * math.log1p(article.use_count)), 4)


def _words_in(article_id: str, found: Occurrences, sureness: Mapping[str, float]) -> tuple[str, ...]:
    own = [word for word, weights in found.items() if article_id in weights]
    return tuple(sorted(own, key=lambda word: (-sureness[word], word)))
