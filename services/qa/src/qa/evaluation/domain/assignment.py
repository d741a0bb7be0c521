"""Who evaluates what: recordings spread over auditors within what each can do in a day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qa.evaluation.domain.evaluation import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """A person who evaluates recordings, and how many a day: usually 45 to 60."""

    auditor_id: str
    daily_capacity: int
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Spread:
    pairs: tuple[tuple[Review, str], ...]
    left_count: int
    """Evaluations that no auditor had capacity for."""


def spread(reviews: Iterable[Review], room: Mapping[str, int]) -> Spread:
    """Gives each evaluation to the auditor with most capacity left that day.

    Never to the agent of the call, and never the second of a double-blind pair to the auditor of the first.
    """
    left = dict(room)
    pairs: list[tuple[Review, str]] = []
    left_count = 0
    for review in reviews:
        chosen: list[str] = []
        for _ in range(review.needed - len(review.auditor_ids)):
            taken = {review.agent_id, *review.auditor_ids, *chosen}
            able = [auditor for auditor, places in left.items() if places > 0 and auditor not in taken]
            if not able:
                left_count += 1
                continue
            auditor = min(able, key=lambda one: (-left[one], one))
            left[auditor] -= 1
            chosen.append(auditor)
        pairs += [(review, auditor) for auditor in chosen]
    return Spread(tuple(pairs), left_count)
