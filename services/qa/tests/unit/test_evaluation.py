"""An evaluation is handed in once, by its auditor; a review is settled by one, by two that agree, or by a third."""

from datetime import date, timedelta

import pytest
from services.qa.tests.unit.builders import (
    AGENT,
    AUDITOR,
    NOW,
    answers,
    make_evaluation,
    make_form,
    make_item,
    make_pair,
    make_recording,
    make_review,
    make_section,
    make_submitted,
    make_work,
)

from contracts.quality import EvaluationMode, RevisionCause
from contracts.refusals import Refusal
from qa.evaluation.domain import evaluation as decisions
from qa.evaluation.domain.evaluation import (
    AdjudicatorTookPart,
    AlreadySubmitted,
    EvaluationState,
    NothingToAdjudicate,
    NotYourEvaluation,
    OwnCall,
    ReviewState,
)
from qa.evaluation.domain.form import (
    Answer,
    AnsweredBy,
    AnswersDoNotFit,
    CallFactName,
    EvaluationForm,
    FilledFromFacts,
    Item,
    ItemKind,
    ItemMisdefined,
    NamedTwiceInForm,
    Option,
    WeightsDoNotAddUp,
    complete_answers,
    facts_of,
)

FORM, RECORDING = make_form(), make_recording()


def test_a_submission_is_the_first_revision_with_three_scores_kept_apart() -> None:
    done = make_submitted(solved=2, privacy="no")
    (revision,) = done.revisions
    # 40 × (prompt 50 + greeting 50)/100 + 60 × 2/4 = 70 points; the fatal item makes the final score 0.
    assert (revision.scores.raw_hundredths, revision.scores.final_hundredths) == (7000, 0)
    assert revision.scores.fatal_items == ("privacy",)
    assert (done.state, done.version, done.submitted_at) == (EvaluationState.SUBMITTED, 2, NOW)
    assert (revision.revision, revision.cause, done.is_settled) == (1, RevisionCause.SUBMITTED, False)


@pytest.mark.parametrize(
    ("make", "by", "refusal"),
    [
        (make_evaluation, "auditor-2", NotYourEvaluation),
        (make_submitted, AUDITOR, AlreadySubmitted),
    ],
)
def test_an_evaluation_is_handed_in_once_by_its_auditor(make, by: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        decisions.submit(make(), FORM, RECORDING, make_work(by=by))


def test_nobody_evaluates_their_own_call() -> None:
    with pytest.raises(OwnCall):
        make_evaluation(make_review(agent_id=AUDITOR))
    with pytest.raises(OwnCall):  # the call's agent became known after the recording was given out
        decisions.submit(make_evaluation(), FORM, make_recording(agent_id=AUDITOR), make_work())


def test_one_submission_settles_a_review_and_begins_the_time_for_an_appeal() -> None:
    done = make_submitted()
    review, standing = decisions.settle(make_review(evaluation_ids=(done.id,)), [done], FORM, now=NOW)
    assert (review.state, review.standing_evaluation_id, review.version) == (ReviewState.SETTLED, done.id, 2)
    assert standing is not None
    assert (standing.is_settled, standing.appeal_until) == (True, NOW + timedelta(hours=48))


def test_a_double_blind_review_waits_for_the_second_auditor() -> None:
    review, (first, _) = make_pair({}, {})
    waiting, standing = decisions.settle(review, [first, make_evaluation(review, "auditor-2")], FORM, now=NOW)
    assert (waiting.state, waiting.version, standing) == (review.state, review.version + 1, None)


@pytest.mark.parametrize(
    ("second", "state"),
    [
        ({}, ReviewState.SETTLED),
        ({"solved": 3}, ReviewState.DIFFERING),  # 15 points less, and 10 are tolerated
        ({"greeting": "no"}, ReviewState.DIFFERING),
        ({"privacy": "no"}, ReviewState.DIFFERING),
    ],
)
def test_two_auditors_agree_within_the_tolerance_of_the_form(second: dict, state: ReviewState) -> None:
    review, pair = make_pair({}, second)
    settled, standing = decisions.settle(review, pair[::-1], FORM, now=NOW)
    assert settled.state is state
    # The first of the review stands, whoever was faster.
    assert (standing.id if standing else None) == (review.evaluation_ids[0] if state is ReviewState.SETTLED else None)


def test_a_difference_of_exactly_the_tolerance_is_tolerated() -> None:
    review, pair = make_pair({}, {"solved": 3})
    assert decisions.settle(review, pair, make_form(blind_tolerance_hundredths=1500), now=NOW)[1] is not None
    assert decisions.settle(review, pair, make_form(blind_tolerance_hundredths=1499), now=NOW)[1] is None


def test_two_final_scores_of_zero_for_different_faults_do_not_agree() -> None:
    section = make_section("all", 100, make_item("a", 50, is_fatal=True), make_item("b", 50, is_fatal=True))
    form, review = make_form(section), make_pair({}, {})[0]
    failed = [
        decisions.submit(
            make_evaluation(review, auditor),
            form,
            RECORDING,
            decisions.Work(
                answers=tuple(Answer(item=item, option="no" if item == fault else "yes") for item in "ab"),
                remark="",
                by=auditor,
                at=NOW,
            ),
        )
        for auditor, fault in ((AUDITOR, "a"), ("auditor-2", "b"))
    ]
    assert decisions.settle(review, failed, form, now=NOW)[0].state is ReviewState.DIFFERING


def adjudicated(review: decisions.Review, adjudicator: str) -> decisions.Evaluation:
    return decisions.adjudicate(review, adjudicator, evaluation_id="third", form="service:1", day_on=date(2026, 3, 2))


def test_two_that_differ_are_adjudicated_by_a_third_whose_word_stands() -> None:
    review, pair = make_pair({}, {"solved": 0})
    differing, _ = decisions.settle(review, pair, FORM, now=NOW)
    for took_part in review.auditor_ids:
        with pytest.raises(AdjudicatorTookPart):
            adjudicated(differing, took_part)
    with pytest.raises(OwnCall):
        adjudicated(differing, AGENT)
    third = adjudicated(differing, "auditor-3")
    assert third.mode is EvaluationMode.ADJUDICATION
    third = decisions.submit(third, FORM, RECORDING, make_work(by="auditor-3", solved=3))
    assert third.revisions[0].cause is RevisionCause.ADJUDICATED
    settled, standing = decisions.settle(differing, [*pair, third], FORM, now=NOW)
    assert (settled.state, settled.standing_evaluation_id) == (ReviewState.SETTLED, "third")
    assert standing is not None
    assert standing.is_settled


@pytest.mark.parametrize("state", [ReviewState.WAITING, ReviewState.ASSIGNED, ReviewState.SETTLED])
def test_only_two_that_differ_are_adjudicated(state: ReviewState) -> None:
    with pytest.raises(NothingToAdjudicate):
        adjudicated(make_review(state=state), "auditor-3")


def test_what_an_auditor_has_not_done_is_taken_back() -> None:
    review, _ = make_pair({}, {})
    waiting = decisions.take_back(review, make_evaluation(review, "auditor-2"))
    assert (waiting.state, waiting.auditor_ids) == (ReviewState.WAITING, (AUDITOR,))
    assert waiting.evaluation_ids == (f"evaluation-of-{AUDITOR}",)
    with pytest.raises(AlreadySubmitted):
        decisions.take_back(review, make_submitted(review))


def test_an_event_says_what_the_present_revision_is_worth() -> None:
    event = decisions.evaluated_event(make_submitted(solved=2, privacy="no"), RECORDING)
    assert (event.raw_hundredths, event.fatal_items, event.final_hundredths) == (7000, ("privacy",), 0)
    assert (event.form_id, event.form_version, event.revision) == ("service", 1, 1)
    assert (event.demand_type, event.queue, event.plan_id) == ("fault_repair", "support", "plan-1")


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (answers()[:2], {"missing": ["privacy"]}),
        ((*answers(), Answer(item="weather", option="yes")), {"unknown": ["weather"]}),
        ((*answers(), answers()[0]), {}),
        (answers(solved=5), {"impossible": ["solved"]}),
        (answers(solved=-1), {"impossible": ["solved"]}),
        (answers(privacy="perhaps"), {"impossible": ["privacy"]}),
        ((*answers()[:2], Answer(item="privacy", is_not_applicable=True)), {"impossible": ["privacy"]}),
        ((*answers()[:2], Answer(item="privacy", option="yes", points=1)), {"impossible": ["privacy"]}),
        (
            (Answer(item="greeting", option="yes", is_not_applicable=True), *answers()[1:]),
            {"impossible": ["greeting"]},
        ),
        ((answers()[0], Answer(item="solved", option="yes"), answers()[2]), {"impossible": ["solved"]}),
    ],
)
def test_answers_that_do_not_fit_the_form_are_refused(given: tuple[Answer, ...], names: dict) -> None:
    with pytest.raises(AnswersDoNotFit) as refused:
        complete_answers(FORM, RECORDING, given)
    assert {name: items for name, items in refused.value.context.items() if items} == names


def test_what_facts_answer_is_filled_in_marked_and_not_asked() -> None:
    complete = complete_answers(FORM, make_recording(wait_milliseconds=21_000), answers())
    assert [(one.item, one.answered_by) for one in complete] == [
        ("prompt", AnsweredBy.FACT),
        ("greeting", AnsweredBy.AUDITOR),
        ("solved", AnsweredBy.AUDITOR),
        ("privacy", AnsweredBy.AUDITOR),
    ]
    assert complete[0].option == "no"
    prompt = Answer(item="prompt", option="yes")
    with pytest.raises(FilledFromFacts):
        complete_answers(FORM, RECORDING, (prompt, *answers()))
    unknown = make_recording(wait_milliseconds=None)
    assert complete_answers(FORM, unknown, (prompt, *answers()))[0].answered_by is AnsweredBy.AUDITOR


@pytest.mark.parametrize(
    ("fact", "known", "option"),
    [
        (CallFactName.ANSWERED_WITHIN, {"wait_milliseconds": 20_000}, "yes"),
        (CallFactName.ANSWERED_WITHIN, {"wait_milliseconds": 20_001}, "no"),
        (CallFactName.ANSWERED_WITHIN, {"wait_milliseconds": None}, None),
        (CallFactName.ORDER_CREATED, {"outcomes": ("answered", "work_order")}, "yes"),
        (CallFactName.ORDER_CREATED, {"outcomes": ("answered",)}, "no"),
        (CallFactName.ORDER_CREATED, {"outcomes": ()}, None),
        (CallFactName.PROMISE_GIVEN, {"outcomes": (), "has_promise": True}, "yes"),
        (CallFactName.PROMISE_GIVEN, {"outcomes": ("answered",)}, "no"),
        (CallFactName.PROMISE_GIVEN, {"outcomes": ()}, None),
    ],
)
def test_a_fact_answers_its_item_once_it_is_known(fact: CallFactName, known: dict, option: str | None) -> None:
    seconds = 20 if fact is CallFactName.ANSWERED_WITHIN else None
    form = make_form(make_section("s", 100, make_item("i", 100, fact=fact, fact_seconds=seconds)))
    answer = facts_of(form, make_recording(**known)).get("i")
    assert (answer.option if answer else None) == option


OPTIONS = tuple(Option(option=name, names=make_item("x", 1).names, percent=50) for name in ("a", "b"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"options": OPTIONS},
        {"kind": ItemKind.CHOICE, "options": OPTIONS[:1]},
        {"kind": ItemKind.CHOICE, "options": (OPTIONS[0], OPTIONS[0])},
        {"kind": ItemKind.POINTS},
        {"highest": 4},
        {"kind": ItemKind.POINTS, "highest": 4, "is_fatal": True},
        {"kind": ItemKind.POINTS, "highest": 4, "fact": CallFactName.ORDER_CREATED},
        {"fact": CallFactName.ANSWERED_WITHIN},
        {"fact": CallFactName.ORDER_CREATED, "fact_seconds": 5},
    ],
)
def test_an_item_that_cannot_be_answered_is_refused(wrong: dict) -> None:
    with pytest.raises(ItemMisdefined) as refused:
        make_form(make_section("s", 100, make_item("i", 100, **wrong))).check()
    assert refused.value.context["item"] == "i"


def twice(*items: Item) -> EvaluationForm:
    return make_form(make_section("s", 100, *items))


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        (make_form(make_section("s", 99, make_item("i", 100))), WeightsDoNotAddUp),
        (make_form(make_section("s", 100, make_item("i", 99))), WeightsDoNotAddUp),
        (twice(make_item("i", 50), make_item("i", 50)), NamedTwiceInForm),
        (make_form(*(make_section("s", 50, make_item(name, 100)) for name in "ab")), NamedTwiceInForm),
        (make_form(*(make_section(name, 50, make_item("i", 100)) for name in "ab")), NamedTwiceInForm),
    ],
)
def test_a_form_that_does_not_add_up_is_refused(form: EvaluationForm, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        form.check()
