"""A calibration session: each auditor scores each recording once, apart; then it is closed and compared."""

from dataclasses import replace
from typing import Any

import pytest
from services.qa.tests.unit.builders import AGENT, AUDITOR, NOW, answers, make_form, make_recording

from contracts.refusals import Refusal
from qa.calibration.domain.session import (
    CalibrationSession,
    NamedTwiceInSession,
    NotInSession,
    RecordingNotInSession,
    ScoredBefore,
    ScoresMissing,
    SessionClosed,
    SessionState,
    check,
    close,
    give,
)
from qa.evaluation.domain.evaluation import OwnCall
from qa.evaluation.domain.form import Answer, AnswersDoNotFit
from qa.recordings.domain.recording import Recording

FORM, OTHER = make_form(), "auditor-2"
FIRST, SECOND = make_recording(), make_recording(id="rec-2")


def make_session(**overrides: Any) -> CalibrationSession:
    values: dict[str, Any] = {"id": "session-1", "version": 1, "name": "三月校准", "form": "service:1"}
    values |= {"recording_ids": ("rec-1", "rec-2"), "auditor_ids": (AUDITOR, OTHER), "opened_at": NOW}
    return CalibrationSession(**values | overrides)


def given(
    session: CalibrationSession, recording: Recording = FIRST, *more: Answer, by: str = AUDITOR, **changes: Any
) -> CalibrationSession:
    return give(session, FORM, recording, (*answers(**changes), *more), by=by, now=NOW)


def scored(*recordings: Recording, apart: dict[str, Any]) -> CalibrationSession:
    """Everything is answered alike, but for what the second auditor answers otherwise at the last recording."""
    session = make_session(recording_ids=tuple(one.id for one in recordings))
    for auditor in (AUDITOR, OTHER):
        for recording in recordings:
            is_apart = (auditor, recording) == (OTHER, recordings[-1])
            session = given(session, recording, by=auditor, **apart if is_apart else {})
    return session


def test_a_score_is_kept_with_its_three_scores_and_what_facts_answer() -> None:
    session = given(make_session(), privacy="no")
    (score,) = session.scores
    assert (session.version, score.recording_id, score.auditor_id, score.at) == (2, "rec-1", AUDITOR, NOW)
    assert (score.scores.raw_hundredths, score.scores.final_hundredths) == (10_000, 0)
    assert [one.item for one in score.answers] == ["prompt", "greeting", "solved", "privacy"]


@pytest.mark.parametrize(
    ("session", "recording", "by", "refusal"),
    [
        (make_session(state=SessionState.CLOSED), FIRST, AUDITOR, SessionClosed),
        (make_session(), FIRST, "auditor-9", NotInSession),
        (make_session(), make_recording(id="rec-9"), AUDITOR, RecordingNotInSession),
        (given(make_session()), FIRST, AUDITOR, ScoredBefore),
        (make_session(auditor_ids=(AGENT, OTHER)), FIRST, AGENT, OwnCall),
    ],
)
def test_a_score_that_is_not_theirs_to_give_is_refused(
    session: CalibrationSession, recording: Recording, by: str, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        given(session, recording, by=by)


def test_answers_that_do_not_fit_the_form_are_no_score() -> None:
    with pytest.raises(AnswersDoNotFit):
        given(make_session(), FIRST, Answer(item="weather", option="yes"))


@pytest.mark.parametrize("twice", [{"auditor_ids": (AUDITOR, AUDITOR)}, {"recording_ids": ("rec-1", "rec-1")}])
def test_an_auditor_or_recording_is_named_once_in_a_session(twice: dict[str, Any]) -> None:
    check(make_session())
    with pytest.raises(NamedTwiceInSession) as refused:
        check(make_session(**twice))
    assert refused.value.context == {"name": next(iter(twice.values()))[0]}


def test_while_it_is_open_each_auditor_sees_their_own_scores_only() -> None:
    session = scored(FIRST, SECOND, apart={})
    assert [len(session.seen_by(sub).scores) for sub in (AUDITOR, "auditor-3")] == [2, 0]
    closed, _ = close(session, FORM, now=NOW)
    assert len(closed.seen_by("auditor-3").scores) == 4


def test_a_session_is_closed_once_when_all_have_scored_everything() -> None:
    with pytest.raises(ScoresMissing) as missing:
        close(given(given(make_session()), SECOND), FORM, now=NOW)
    assert missing.value.context == {"auditors": [OTHER]}
    closed, _ = close(scored(FIRST, SECOND, apart={}), FORM, now=NOW)
    assert (closed.state, closed.closed_at, closed.version) == (SessionState.CLOSED, NOW, 6)
    with pytest.raises(SessionClosed):
        close(closed, FORM, now=NOW)


def test_agreement_is_counted_on_what_people_answer_and_chance_within_items() -> None:
    closed, event = close(scored(FIRST, SECOND, apart={"greeting": "no", "solved": 1}), FORM, now=NOW)
    assert closed.overall is not None
    # Three items that people answer on two recordings, four of the six alike.
    assert closed.overall.agreement_millionths == 666_667
    # Chance within items, by hand: two items with P = Pₑ = 1/2 and one with P = Pₑ = 1: nothing beyond chance.
    assert (closed.overall.kappa_millionths, event.kappa_method) == (0, "cohen_within_items")
    by_item = {one.item: one.agreement.agreement_millionths for one in closed.by_item}
    assert by_item == {"greeting": 500_000, "solved": 500_000, "privacy": 1_000_000}
    assert (event.auditor_ids, event.recording_count, event.agreement_millionths) == ((AUDITOR, OTHER), 2, 666_667)
    assert (event.form_id, event.form_version) == ("service", 1)


def test_an_item_whose_fact_is_not_known_counts_because_people_answered_it() -> None:
    # How long this caller waited is not known.
    silent = make_recording(id="rec-3", wait_milliseconds=None)
    session = make_session(recording_ids=("rec-1", "rec-3"))
    for auditor, prompt in ((AUDITOR, "yes"), (OTHER, "no")):
        session = given(session, by=auditor)
        session = given(session, silent, Answer(item="prompt", option=prompt), by=auditor)
    closed, _ = close(session, FORM, now=NOW)
    by_item = {one.item: one.agreement for one in closed.by_item}
    # Of the two recordings the fact answers one: people answered the other, and did not agree.
    assert (by_item["prompt"].subject_count, by_item["prompt"].agreement_millionths) == (1, 0)
    assert closed.overall is not None
    assert (closed.overall.subject_count, closed.overall.agreement_millionths) == (7, 857_143)


def test_where_facts_answer_everything_they_are_what_is_compared() -> None:
    sections = tuple(
        replace(section, weight=100, items=tuple(replace(item, weight=100) for item in section.items[:1]))
        for section in FORM.sections[:1]
    )
    form = make_form(*sections)
    session = make_session(recording_ids=("rec-1",))
    for auditor in (AUDITOR, OTHER):
        session = give(session, form, FIRST, (), by=auditor, now=NOW)
    closed, event = close(session, form, now=NOW)
    assert [one.item for one in closed.by_item] == ["prompt"]
    assert event.agreement_millionths == 1_000_000
