"""What auditors do: forms, assignments, evaluations, adjudication, appeals. One function a command."""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from chassis.commands import Reply
from chassis.database import Transaction
from chassis.identity import new_id
from contracts.directory import Names
from contracts.quality import EvaluationMode
from qa.desk import ActAtDesk, QualityDesk
from qa.evaluation import store, views
from qa.evaluation.domain import appeal as appealing
from qa.evaluation.domain import evaluation as evaluating
from qa.evaluation.domain.assignment import Auditor, Spread, spread
from qa.evaluation.domain.evaluation import Evaluation, Review, ReviewState, Work
from qa.evaluation.domain.form import Answer as FormAnswer
from qa.evaluation.domain.form import EvaluationForm, FormRules, Section
from qa.recordings.store import RECORDINGS, subscriber_behind
from qa.rules import get_quality_rules
from qa.sampling.domain.plan import SampleNotDrawn
from qa.sampling.store import PLANS
from work_orders.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishForm:
    form_id: str
    names: Names
    sections: tuple[Section, ...]
    rules: FormRules


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """Answers to a form, of an auditor, an adjudicator or who decides an appeal."""

    answers: tuple[FormAnswer, ...]
    remark: str

    def work(self, act: ActAtDesk, remark: str) -> Work:
        """With its remark sealed for the evaluation that it belongs to."""
        return Work(answers=self.answers, remark=remark, by=act.actor.sub, at=act.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What an assignment came to."""

    plan_id: str
    day_on: date
    assigned_count: int
    left_count: int
    """Evaluations of the plan that still have nobody: no room is left on that day, or only who spoke in the call."""
    by_auditor: dict[str, int]


async def publish_form(command: PublishForm, *, context: QualityDesk) -> Reply:
    """A further version of a form; those before it stay as they are."""
    async with context.act() as act:  # the only commit on this path
        number = await store.next_form_version(act.tx, command.form_id)
        form = EvaluationForm(
            id=f"{command.form_id}:{number}",
            form_id=command.form_id,
            form_version=number,
            names=command.names,
            sections=command.sections,
            rules=command.rules,
            published_at=act.now,
            published_by=act.actor.sub,
        )
        form.check()
        await store.FORMS.add(act.tx, form)
        act.answer_with(form, status=201)
    return act.answer


async def define_auditor(auditor: Auditor, *, context: QualityDesk) -> Reply:
    async with context.act() as act:  # the only commit on this path
        await store.put_auditor(act.tx, auditor)
        act.answer_with(auditor)
    return act.answer


async def assign_sample(plan_id: str, form_id: str, day_on: date, *, context: QualityDesk) -> Reply:
    """Gives the reviews of a sample to auditors, as many as they can do on that day."""
    async with context.act() as act:  # the only commit on this path
        plan = await PLANS.lock(act.tx, plan_id)
        if plan.drawn is None:
            raise SampleNotDrawn()
        form = await store.latest_form(act.tx, form_id)
        room = await store.lock_room(act.tx, day_on)
        # Twice the room: some recordings cannot go to whoever has room.
        reviews = await store.lock_waiting(act.tx, plan_id, 2 * sum(room.values()) + 1)
        found = spread(reviews, room)
        await _give_out(act.tx, found, form, day_on)
        waiting = await act.tx.fetchval(_LEFT, plan_id)
        by_auditor: dict[str, int] = {}
        for _, auditor in found.pairs:
            by_auditor[auditor] = by_auditor.get(auditor, 0) + 1
        act.answer_with(
            Assigned(
                plan_id=plan_id,
                day_on=day_on,
                assigned_count=len(found.pairs),
                left_count=waiting,
                by_auditor=by_auditor,
            )
        )
    return act.answer


_LEFT = """
select coalesce(sum(case when (body->>'is_double_blind')::boolean then 2 else 1 end
                    - json_array_length(body->'auditor_ids')), 0)
from reviews where plan_id = $1 and state = 'waiting'
"""


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


async def take_back_evaluation(evaluation_id: str, *, context: QualityDesk) -> Reply:
    """What somebody has not handed in goes back to the sample. Nothing was said or published of it: it is gone."""
    async with context.act() as act:  # the only commit on this path
        # The review first, as everybody does.
        seen = await store.EVALUATIONS.get(act.tx, evaluation_id)
        review = await store.REVIEWS.lock(act.tx, seen.review_id)
        evaluation = await store.EVALUATIONS.lock(act.tx, evaluation_id)
        act.check_version(evaluation.version)
        waiting = evaluating.take_back(review, evaluation)
        await store.REVIEWS.save(act.tx, waiting)
        await store.EVALUATIONS.remove(act.tx, evaluation_id)
        act.answer_with(waiting)
    return act.answer


async def submit_evaluation(evaluation_id: str, command: HandIn, *, context: QualityDesk) -> Reply:
    seal = await context.sealer(partial(subscriber_behind, table="evaluations", thing_id=evaluation_id), command.remark)
    async with context.act() as act:  # the only commit on this path
        # The review first, as everybody does: two auditors of one pair then take turns instead of deadlocking.
        seen = await store.EVALUATIONS.get(act.tx, evaluation_id)
        review = await store.REVIEWS.lock(act.tx, seen.review_id)
        evaluation = await store.EVALUATIONS.lock(act.tx, evaluation_id)
        act.check_version(evaluation.version)
        await _hand_in(act, review, evaluation, command, seal, is_new=False)
    return act.answer


async def adjudicate_review(review_id: str, command: HandIn, *, context: QualityDesk) -> Reply:
    """The word of a third on two evaluations that differ: it stands."""
    seal = await context.sealer(partial(subscriber_behind, table="reviews", thing_id=review_id), command.remark)
    async with context.act() as act:  # the only commit on this path
        review = await store.REVIEWS.lock(act.tx, review_id)
        act.check_version(review.version)
        first = await store.EVALUATIONS.get(act.tx, review.evaluation_ids[0]) if review.evaluation_ids else None
        evaluation = evaluating.adjudicate(
            review,
            act.actor.sub,
            evaluation_id=new_id(),
            form=first.form if first else "",
            day_on=(await get_quality_rules(act.tx)).day_of(act.now),
        )
        changed = replace(
            review,
            auditor_ids=(*review.auditor_ids, act.actor.sub),
            evaluation_ids=(*review.evaluation_ids, evaluation.id),
        )
        await _hand_in(act, changed, evaluation, command, seal, is_new=True)
    return act.answer


async def _hand_in(
    act: ActAtDesk, review: Review, evaluation: Evaluation, command: HandIn, seal: Sealer, *, is_new: bool
) -> None:
    form = await store.FORMS.get(act.tx, evaluation.form)
    recording = await RECORDINGS.get(act.tx, evaluation.recording_id)
    work = command.work(act, seal(command.remark, evaluation.id))
    submitted = evaluating.submit(evaluation, form, recording, work)
    others = [one for one in await store.lock_evaluations_of(act.tx, review.id) if one.id != submitted.id]
    settled, standing = evaluating.settle(review, [*others, submitted], form, now=act.now)
    if standing is not None and standing.id == submitted.id:
        submitted, standing = standing, None
    await store.REVIEWS.save(act.tx, settled)
    if is_new:
        await store.EVALUATIONS.add(act.tx, submitted)
    else:
        await store.EVALUATIONS.save(act.tx, submitted)
    act.publish(evaluating.evaluated_event(submitted, recording), subject=recording.id)
    if standing is not None:
        # The first of two that agree: it stands from here on.
        standing = replace(standing, version=standing.version + 1)
        await store.EVALUATIONS.save(act.tx, standing)
        act.publish(evaluating.evaluated_event(standing, recording), subject=recording.id)
    act.answer_with(submitted)


async def appeal_evaluation(evaluation_id: str, reason: str, *, context: QualityDesk) -> Reply:
    seal = await context.sealer(partial(subscriber_behind, table="evaluations", thing_id=evaluation_id), reason)
    async with context.act() as act:  # the only commit on this path
        # Who may not see it is not told that it is there.
        await views.get_visible(act.tx, evaluation_id, context.caller)
        evaluation = await store.EVALUATIONS.lock(act.tx, evaluation_id)
        act.check_version(evaluation.version)
        form = await store.FORMS.get(act.tx, evaluation.form)
        appeal_id = new_id()
        marked, opened, event = appealing.appeal(
            evaluation,
            form,
            appeal_id=appeal_id,
            reason=seal(reason, appeal_id),
            by=act.actor.sub,
            now=act.now,
        )
        await store.EVALUATIONS.save(act.tx, marked)
        await store.APPEALS.add(act.tx, opened)
        act.publish(event, subject=evaluation.recording_id)
        act.answer_with(opened, status=201)
    return act.answer


async def decide_appeal(appeal_id: str, command: HandIn, *, is_overturned: bool, context: QualityDesk) -> Reply:
    """Upheld, nothing changes; overturned, the evaluation gets one more revision with the answers given."""
    seal = await context.sealer(partial(subscriber_behind, table="appeals", thing_id=appeal_id), command.remark)
    async with context.act() as act:  # the only commit on this path
        opened = await store.APPEALS.lock(act.tx, appeal_id)
        act.check_version(opened.version)
        evaluation = await store.EVALUATIONS.get(act.tx, opened.evaluation_id)
        review = await store.REVIEWS.get(act.tx, evaluation.review_id)
        decided = appealing.decide(
            opened,
            review,
            is_overturned=is_overturned,
            has_answers=bool(command.answers),
            remark=seal(command.remark, appeal_id),
            by=act.actor.sub,
            now=act.now,
        )
        await store.APPEALS.save(act.tx, decided)
        act.publish(appealing.decided_event(decided), subject=decided.recording_id)
        if is_overturned:
            await _revise(act, decided.evaluation_id, command, seal)
        act.answer_with(decided)
    return act.answer


async def _revise(act: ActAtDesk, evaluation_id: str, command: HandIn, seal: Sealer) -> None:
    evaluation = await store.EVALUATIONS.lock(act.tx, evaluation_id)
    form = await store.FORMS.get(act.tx, evaluation.form)
    recording = await RECORDINGS.get(act.tx, evaluation.recording_id)
    work = command.work(act, seal(command.remark, evaluation.id))
    revised = appealing.overturn(evaluation, form, recording, work)
    await store.EVALUATIONS.save(act.tx, revised)
    act.publish(evaluating.evaluated_event(revised, recording), subject=recording.id)
