"""Searching the knowledge base while the caller waits.

Articles are ranked as BM25 ranks them: a word counts more the fewer articles have it, and less each time it comes
again. A word that was guessed counts as much less as it is unlike what was typed. Of two that say the same, the one
that has settled more calls stands first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.database import Statements
from intake.knowledge import store
from intake.knowledge.domain import Article
from intake.knowledge.tokenizer import meant_by, pieces, unknown_runs, words

_SATURATION = 4.0
_FOR_DEMAND_TYPE = 1.3
_GUESS_COUNTS = 0.7
_FOR_USES = 0.05


@dataclass(frozen=True, slots=True)
class Found:
    article: Article
    score: float
    words: tuple[str, ...]
    """The words of the article that were found, guessed ones included."""


async def search(statements: Statements, query: str, *, demand_type: str | None, limit: int) -> Sequence[Found]:
    """The articles that a query is about, the best first; those of the demand type are raised, not the only ones."""
    sureness = dict.fromkeys(words(query), 1.0)
    found = await store.occurrences(statements, list(sureness))
    guessed = await _guesses(statements, pieces(query), found)
    sureness |= {word: likely for word, likely in guessed.items() if word not in sureness}
    found |= await store.occurrences(statements, list(guessed))
    scores = _scores(found, sureness, await store.article_count(statements))
    articles = await store.articles_by_id(statements, list(scores))
    ranked = [
        Found(article, _raised(scores[article.id], article, demand_type), _words_in(article.id, found, sureness))
        for article in articles.values()
    ]
    return sorted(ranked, key=lambda one: (-one.score, one.article.id))[:limit]


async def _guesses(
    statements: Statements, query: Sequence[str], found: Mapping[str, Mapping[str, int]]
) -> dict[str, float]:
    runs = unknown_runs(query, found)
    if not runs:
        return {}
    vocabulary = await store.vocabulary(statements)
    guesses: dict[str, float] = {}
    for run in runs:
        for meant in meant_by(run, vocabulary):
            guesses[meant.word] = max(guesses.get(meant.word, 0.0), meant.sureness * _GUESS_COUNTS)
    return guesses


def _scores(
    found: Mapping[str, Mapping[str, int]], sureness: Mapping[str, float], article_count: int
) -> dict[str, float]:
    scores: dict[str, float] = {}
    for word, weights in found.items():
        rarity = math.log(1 + (article_count - len(weights) + 0.5) / (len(weights) + 0.5))
        for article_id, weight in weights.items():
            frequency = weight * (_SATURATION + 1) / (weight + _SATURATION)
            scores[article_id] = scores.get(article_id, 0.0) + rarity * frequency * sureness[word]
    return scores


def _raised(score: float, article: Article, demand_type: str | None) -> float:
    if demand_type is not None and article.demand_type == demand_type:
        score *= _FOR_DEMAND_TYPE
    return round(score * (1 + _FOR_USES * math.log1p(article.use_count)), 4)


def _words_in(
    article_id: str, found: Mapping[str, Mapping[str, int]], sureness: Mapping[str, float]
) -> tuple[str, ...]:
    own = [word for word, weights in found.items() if article_id in weights]
    return tuple(sorted(own, key=lambda word: (-sureness[word], word)))
