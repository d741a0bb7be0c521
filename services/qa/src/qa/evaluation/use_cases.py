"""What auditors do: forms, assignments, evaluations, adjudication, appeals.

One function a command, each on a unit of work.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from chassis.commands import Reply
from chassis.database import Transaction
from chassis.identity import new_id
from chassis.unit_of_work import Command
from contracts.directory import Names
from contracts.quality import EvaluationMode
from qa.evaluation import store, views
from qa.evaluation.domain import appeal as appealing
from qa.evaluation.domain import evaluation as evaluating
from qa.evaluation.domain.assignment import Auditor, Spread, spread
from qa.evaluation.domain.evaluation import Evaluation, Review, ReviewState, Work
from qa.evaluation.domain.form import Answer, EvaluationForm, FormRules, Section
from qa.recordings.store import RECORDINGS, subscriber_behind
from qa.sampling.domain.plan import SampleNotDrawn
from qa.sampling.store import PLANS
from qa.store import get_quality_rules
from work_orders.sealing import Sealer
from work_orders.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishForm:
    form_id: str
    names: Names
    sections: tuple[Section, ...]
    rules: FormRules


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """Answers to a form, of an auditor, an adjudicator or who decides an appeal."""

    answers: tuple[Answer, ...]
    remark: str

    def work(self, command: Command, remark: str) -> Work:
        """With its remark sealed for the evaluation that it belongs to."""
        return Work(answers=self.answers, remark=remark, by=command.actor.sub, at=command.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What an assignment came to."""

    plan_id: str
    day_on: date
    assigned_count: int
    left_count: int
    """Evaluations of the plan without an auditor: no capacity is left on that day, or only that of the call's agent."""
    by_auditor: dict[str, int]


async def publish_form(draft: PublishForm, *, uow: OrderUnitOfWork) -> Reply:
    """A further version of a form; those before it stay as they are."""
    async with uow.command() as command:
        number = await store.next_form_version(command.tx, draft.form_id)
        form = EvaluationForm(
            id=f"{draft.form_id}:{number}",
            form_id=draft.form_id,
            form_version=number,
            names=draft.names,
            sections=draft.sections,
            rules=draft.rules,
            published_at=command.now,
            published_by=command.actor.sub,
        )
        form.check()
        await store.FORMS.add(command.tx, form)
        command.reply_with(form, status=201)
    return command.reply


async def define_auditor(auditor: Auditor, *, uow: OrderUnitOfWork) -> Reply:
    async with uow.command() as command:
        await store.put_auditor(command.tx, auditor)
        command.reply_with(auditor)
    return command.reply


async def assign_sample(plan_id: str, form_id: str, day_on: date, *, uow: OrderUnitOfWork) -> Reply:
    """Gives the reviews of a sample to auditors, as many as they can do on that day."""
    async with uow.command() as command:
        plan = await PLANS.lock(command.tx, plan_id)
        if plan.drawn is None:
            raise SampleNotDrawn()
        form = await store.latest_form(command.tx, form_id)
        room = await store.lock_room(command.tx, day_on)
        # Twice the room: some recordings cannot go to the auditors who have room.
        reviews = await store.lock_waiting(command.tx, plan_id, 2 * sum(room.values()) + 1)
        found = spread(reviews, room)
        await _give_out(command.tx, found, form, day_on)
        waiting = await store.count_left(command.tx, plan_id)
        by_auditor: dict[str, int] = {}
        for _, auditor in found.pairs:
            by_auditor[auditor] = by_auditor.get(auditor, 0) + 1
        command.reply_with(
            Assigned(
                plan_id=plan_id,
                day_on=day_on,
                assigned_count=len(found.pairs),
                left_count=waiting,
                by_auditor=by_auditor,
            )
        )
    return command.reply


async def _give_out(tx: Transaction, found: Spread, form: EvaluationForm, day_on: date) -> None:
    changed: dict[str, Review] = {}
    evaluations = []
    for review, auditor in found.pairs:
        review = changed.get(review.id, review)
        mode = EvaluationMode.DOUBLE_BLIND if review.is_double_blind else EvaluationMode.SINGLE
        evaluation = evaluating.assigned(review, auditor, new_id(), form.id, day_on, mode=mode)
        evaluations.append(evaluation)
        auditor_ids = (*review.auditor_ids, auditor)
        changed[review.id] = replace(
            review,
            auditor_ids=auditor_ids,
            evaluation_ids=(*review.evaluation_ids, evaluation.id),
            state=ReviewState.ASSIGNED if len(auditor_ids) == review.needed else ReviewState.WAITING,
        )
    saved = [replace(review, version=review.version + 1) for review in changed.values()]
    await store.save_all(tx, saved, evaluations)


async def take_back_evaluation(evaluation_id: str, *, uow: OrderUnitOfWork) -> Reply:
    """Returns an evaluation that was not submitted to the sample. It is deleted: nothing was published about it."""
    async with uow.command() as command:
        # The review first, as in every command.
        seen = await store.EVALUATIONS.get(command.tx, evaluation_id)
        review = await store.REVIEWS.lock(command.tx, seen.review_id)
        evaluation = await store.EVALUATIONS.lock(command.tx, evaluation_id)
        command.check_version(evaluation.version)
        waiting = evaluating.take_back(review, evaluation)
        await store.REVIEWS.save(command.tx, waiting)
        await store.EVALUATIONS.remove(command.tx, evaluation_id)
        command.reply_with(waiting)
    return command.reply


async def submit_evaluation(evaluation_id: str, hand_in: HandIn, *, uow: OrderUnitOfWork) -> Reply:
    seal = await uow.sealer(partial(subscriber_behind, table="evaluations", thing_id=evaluation_id), hand_in.remark)
    async with uow.command() as command:
        # The review first, as in every command: two auditors of one pair then take turns instead of deadlocking.
        seen = await store.EVALUATIONS.get(command.tx, evaluation_id)
        review = await store.REVIEWS.lock(command.tx, seen.review_id)
        evaluation = await store.EVALUATIONS.lock(command.tx, evaluation_id)
        command.check_version(evaluation.version)
        await _hand_in(command, review, evaluation, hand_in, seal, is_new=False)
    return command.reply


async def adjudicate_review(review_id: str, hand_in: HandIn, *, uow: OrderUnitOfWork) -> Reply:
    """The evaluation of a third person on two that differ; it stands."""
    seal = await uow.sealer(partial(subscriber_behind, table="reviews", thing_id=review_id), hand_in.remark)
    async with uow.command() as command:
        review = await store.REVIEWS.lock(command.tx, review_id)
        command.check_version(review.version)
        first = await store.EVALUATIONS.get(command.tx, review.evaluation_ids[0]) if review.evaluation_ids else None
        evaluation = evaluating.adjudicate(
            review,
            command.actor.sub,
            evaluation_id=new_id(),
            form=first.form if first else "",
            day_on=(await get_quality_rules(command.tx)).day_of(command.now),
        )
        changed = replace(
            review,
            auditor_ids=(*review.auditor_ids, command.actor.sub),
            evaluation_ids=(*review.evaluation_ids, evaluation.id),
        )
        await _hand_in(command, changed, evaluation, hand_in, seal, is_new=True)
    return command.reply


async def _hand_in(
    command: Command, review: Review, evaluation: Evaluation, hand_in: HandIn, seal: Sealer, *, is_new: bool
) -> None:
    form = await store.FORMS.get(command.tx, evaluation.form)
    recording = await RECORDINGS.get(command.tx, evaluation.recording_id)
    work = hand_in.work(command, seal(hand_in.remark, evaluation.id))
    submitted = evaluating.submit(evaluation, form, recording, work)
    others = [one for one in await store.lock_evaluations_of(command.tx, review.id) if one.id != submitted.id]
    settled, standing = evaluating.settle(review, [*others, submitted], form, now=command.now)
    if standing is not None and standing.id == submitted.id:
        submitted, standing = standing, None
    await store.REVIEWS.save(command.tx, settled)
    if is_new:
        await store.EVALUATIONS.add(command.tx, submitted)
    else:
        await store.EVALUATIONS.save(command.tx, submitted)
    command.publish(evaluating.evaluated_event(submitted, recording), subject=recording.id)
    if standing is not None:
        # The first of two that agree stands.
        standing = replace(standing, version=standing.version + 1)
        await store.EVALUATIONS.save(command.tx, standing)
        command.publish(evaluating.evaluated_event(standing, recording), subject=recording.id)
    command.reply_with(submitted)


async def appeal_evaluation(evaluation_id: str, reason: str, *, uow: OrderUnitOfWork) -> Reply:
    seal = await uow.sealer(partial(subscriber_behind, table="evaluations", thing_id=evaluation_id), reason)
    async with uow.command() as command:
        # An evaluation that the actor may not see is not found.
        await views.get_visible(command.tx, evaluation_id, uow.actor, uow.areas)
        evaluation = await store.EVALUATIONS.lock(command.tx, evaluation_id)
        command.check_version(evaluation.version)
        form = await store.FORMS.get(command.tx, evaluation.form)
        appeal_id = new_id()
        marked, opened, event = appealing.appeal(
            evaluation,
            form,
            appeal_id=appeal_id,
            reason=seal(reason, appeal_id),
            by=command.actor.sub,
            now=command.now,
        )
        await store.EVALUATIONS.save(command.tx, marked)
        await store.APPEALS.add(command.tx, opened)
        command.publish(event, subject=evaluation.recording_id)
        command.reply_with(opened, status=201)
    return command.reply


async def decide_appeal(appeal_id: str, hand_in: HandIn, *, is_overturned: bool, uow: OrderUnitOfWork) -> Reply:
    """Upheld, nothing changes; overturned, the evaluation gets one more revision with the answers given."""
    seal = await uow.sealer(partial(subscriber_behind, table="appeals", thing_id=appeal_id), hand_in.remark)
    async with uow.command() as command:
        opened = await store.APPEALS.lock(command.tx, appeal_id)
        command.check_version(opened.version)
        evaluation = await store.EVALUATIONS.get(command.tx, opened.evaluation_id)
        review = await store.REVIEWS.get(command.tx, evaluation.review_id)
        decided = appealing.decide(
            opened,
            review,
            is_overturned=is_overturned,
            has_answers=bool(hand_in.answers),
            remark=seal(hand_in.remark, appeal_id),
            by=command.actor.sub,
            now=command.now,
        )
        await store.APPEALS.save(command.tx, decided)
        command.publish(appealing.decided_event(decided), subject=decided.recording_id)
        if is_overturned:
            await _revise(command, decided.evaluation_id, hand_in, seal)
        command.reply_with(decided)
    return command.reply


async def _revise(command: Command, evaluation_id: str, hand_in: HandIn, seal: Sealer) -> None:
    evaluation = await store.EVALUATIONS.lock(command.tx, evaluation_id)
    form = await store.FORMS.get(command.tx, evaluation.form)
    recording = await RECORDINGS.get(command.tx, evaluation.recording_id)
    work = hand_in.work(command, seal(hand_in.remark, evaluation.id))
    revised = appealing.overturn(evaluation, form, recording, work)
    await store.EVALUATIONS.save(command.tx, revised)
    command.publish(evaluating.evaluated_event(revised, recording), subject=recording.id)
