"""What is left in plain about a subscriber who was erased: words that were typed before anybody knew whose call it was,
or before words were sealed. Those that are sealed cannot be read any more without the key.

Taken out in the transaction that applies the news of the destroyed key, so that both are true at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chassis.database import Transaction
from contracts.message import Message
from contracts.sealing import SEALED, SealingKeyDestroyed
from qa.evaluation.domain.appeal import Appeal
from qa.evaluation.domain.evaluation import Evaluation
from qa.evaluation.store import APPEALS, EVALUATIONS
from qa.follow_up.domain.follow_up import Finding, FollowUp
from qa.follow_up.store import FINDINGS, FOLLOW_UPS
from qa.shelf import Shelf
from qa.typical_cases.store import CASES, TypicalCase
from work_orders.sealing_keys import on_sealing_keys

_RECORDINGS = "(select id from recordings where body->>'subscriber_id' = any($1))"
_FOLLOW_UPS = "(select id from follow_ups where body->>'subscriber_id' = any($1))"


def _blank(text: str) -> str:
    return text if SEALED.fullmatch(text) else ""


def _evaluation(one: Evaluation) -> Evaluation:
    return replace(one, revisions=tuple(replace(each, remark=_blank(each.remark)) for each in one.revisions))


def _appeal(one: Appeal) -> Appeal:
    return replace(one, reason=_blank(one.reason), remark=one.remark and _blank(one.remark))


def _case(one: TypicalCase) -> TypicalCase:
    return replace(one, title=_blank(one.title), lesson=_blank(one.lesson))


def _follow_up(one: FollowUp) -> FollowUp:
    return replace(
        one,
        attempts=tuple(replace(each, note=_blank(each.note)) for each in one.attempts),
        replies=tuple(replace(each, text=each.text and _blank(each.text)) for each in one.replies),
    )


def _finding(one: Finding) -> Finding:
    return replace(one, remark=_blank(one.remark))


_SHELVES: tuple[tuple[Shelf[Any], str, Callable[[Any], Any]], ...] = (
    (APPEALS, f"evaluation_id in (select id from evaluations where recording_id in {_RECORDINGS})", _appeal),
    (EVALUATIONS, f"recording_id in {_RECORDINGS}", _evaluation),
    (CASES, f"body->>'recording_id' in {_RECORDINGS}", _case),
    (FOLLOW_UPS, f"id in {_FOLLOW_UPS}", _follow_up),
    (FINDINGS, f"follow_up_id in {_FOLLOW_UPS}", _finding),
)
"""By shelf: which things are about the subscribers `$1`, and such a thing without its plain words. Appeals come before
evaluations, as for whoever decides one: nobody waits in a circle."""


async def on_sealing_keys_of_quality(messages: Sequence[Message], tx: Transaction) -> None:
    """Takes keys into the copy; of a subscriber whose key was destroyed nothing stays in plain."""
    await on_sealing_keys(messages, tx)
    gone = sorted({message.subject for message in messages if isinstance(message.body, SealingKeyDestroyed)})
    if not gone:
        return
    for shelf, condition, blanked in _SHELVES:
        for one in await shelf.where(tx, condition, gone, lock=True):
            if (changed := blanked(one)) != one:
                await shelf.save(tx, replace(changed, version=one.version + 1))
    await tx.execute(
        f"""update recording_openings set note = '' where recording_id in {_RECORDINGS}
            and note not like 'sealed:1:%'""",
        gone,
    )
