"""Searching the knowledge base while the caller waits."""

from collections.abc import Sequence

from chassis.database import Statements
from intake.knowledge import store
from intake.knowledge.ranking import Found, Occurrences, rank, scores
from intake.knowledge.tokenizer import meant_by, pieces, unknown_runs, words

_GUESS_COUNTS = 0.7


async def search(statements: Statements, query: str, *, demand_type: str | None, limit: int) -> Sequence[Found]:
    """The articles that a query is about, the best first; those of the demand type are raised, not the only ones."""
    sureness = dict.fromkeys(words(query), 1.0)
    found = await store.occurrences(statements, list(sureness))
    guessed = await _guesses(statements, pieces(query), found)
    sureness |= {word: likely for word, likely in guessed.items() if word not in sureness}
    found |= await store.occurrences(statements, list(guessed))
    scored = scores(found, sureness, await store.article_count(statements))
    articles = await store.articles_by_id(statements, list(scored))
    return rank(articles, scored, found, sureness, demand_type=demand_type)[:limit]


async def _guesses(statements: Statements, query: Sequence[str], found: Occurrences) -> dict[str, float]:
    """What the words that no article has may have been meant to be, and how much each guess counts."""
    runs = unknown_runs(query, found)
    if not runs:
        return {}
    vocabulary = await store.vocabulary(statements)
    guesses: dict[str, float] = {}
    for run in runs:
        for meant in meant_by(run, vocabulary):
            guesses[meant.word] = max(guesses.get(meant.word, 0.0), meant.sureness * _GUESS_COUNTS)
    return guesses
