"""Erasure of plain texts about an erased subscriber: typed before the caller was known, or before texts were sealed.

Sealed texts cannot be read without the key. Plain ones are blanked in the transaction that applies the destruction of
the key, so that both are true at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chassis.database import Query, Transaction
from chassis.document_store import DocumentStore
from contracts.message import Message
from contracts.sealing import SEALED, SealingKeyDestroyed
from qa.evaluation.domain.appeal import Appeal
from qa.evaluation.domain.evaluation import Evaluation
from qa.evaluation.store import APPEALS, APPEALS_ABOUT, EVALUATIONS, EVALUATIONS_ABOUT
from qa.follow_up.domain.follow_up import Finding, FollowUp
from qa.follow_up.store import FINDINGS, FINDINGS_ABOUT, FOLLOW_UPS, FOLLOW_UPS_ABOUT
from qa.recordings.store import blank_openings
from qa.typical_cases.store import CASES, CASES_ABOUT, TypicalCase
from work_orders.sealing_keys import on_sealing_keys


def _blank(text: str) -> str:
    return text if SEALED.fullmatch(text) else ""


def _evaluation(evaluation: Evaluation) -> Evaluation:
    return replace(
        evaluation, revisions=tuple(replace(each, remark=_blank(each.remark)) for each in evaluation.revisions)
    )


def _appeal(appeal: Appeal) -> Appeal:
    return replace(appeal, reason=_blank(appeal.reason), remark=appeal.remark and _blank(appeal.remark))


def _case(case: TypicalCase) -> TypicalCase:
    return replace(case, title=_blank(case.title), lesson=_blank(case.lesson))


def _follow_up(follow_up: FollowUp) -> FollowUp:
    return replace(
        follow_up,
        attempts=tuple(replace(each, note=_blank(each.note)) for each in follow_up.attempts),
        replies=tuple(replace(each, text=each.text and _blank(each.text)) for each in follow_up.replies),
    )


def _finding(finding: Finding) -> Finding:
    return replace(finding, remark=_blank(finding.remark))


_TEXTS: tuple[tuple[DocumentStore[Any], Query, Callable[[Any], Any]], ...] = (
    (APPEALS, APPEALS_ABOUT, _appeal),
    (EVALUATIONS, EVALUATIONS_ABOUT, _evaluation),
    (CASES, CASES_ABOUT, _case),
    (FOLLOW_UPS, FOLLOW_UPS_ABOUT, _follow_up),
    (FINDINGS, FINDINGS_ABOUT, _finding),
)
"""By store: the documents about some subscribers, and such a document without its plain texts. Appeals come before
evaluations, as in the decision of an appeal: there is no deadlock."""


async def on_sealing_keys_of_quality(messages: Sequence[Message], tx: Transaction) -> None:
    """Takes keys into the copy; of a subscriber whose key was destroyed nothing stays in plain."""
    await on_sealing_keys(messages, tx)
    gone = sorted({message.subject for message in messages if isinstance(message.body, SealingKeyDestroyed)})
    if not gone:
        return
    for store, about, blanked in _TEXTS:
        for document in await store.fetch(tx, about, subscriber_ids=gone):
            if (changed := blanked(document)) != document:
                await store.save(tx, replace(changed, version=document.version + 1))
    await blank_openings(tx, gone)
