"""A calibration session: auditors score the same recordings on the same form, apart; then it is closed and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.quality import CalibrationClosed
from contracts.refusals import Conflict, Forbidden, Invalid
from qa.calibration.domain.agreement import Agreement, agreement, agreement_within_items
from qa.evaluation.domain.evaluation import OwnCall
from qa.evaluation.domain.form import Answer, AnsweredBy, EvaluationForm, Scores, complete_answers, score
from qa.recordings.domain.recording import Recording


class SessionState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class NamedTwiceInSession(Invalid):
    """{name} appears twice in the session."""

    zh = "{name} 在校准中重复。"


class NotInSession(Forbidden):
    """{auditor} does not take part in this session."""

    zh = "{auditor} 未参加此次校准。"


class RecordingNotInSession(Invalid):
    """Recording {recording_id} is not part of this session."""

    zh = "录音 {recording_id} 不在此次校准中。"


class ScoredBefore(Conflict):
    """{auditor} has already scored {recording_id} in this session."""

    zh = "{auditor} 已在此次校准中为 {recording_id} 评分。"


class SessionClosed(Conflict):
    """The session was closed at {closed_at:time}."""

    zh = "该校准已于 {closed_at:time}结束。"


class ScoresMissing(Conflict):
    """Scores are missing from: {auditors}."""

    zh = "以下人员尚未全部评分：{auditors}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionScore:
    recording_id: str
    auditor_id: str
    answers: tuple[Answer, ...]
    scores: Scores
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAgreement:
    item: str
    agreement: Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSession:
    id: str
    version: int
    name: str
    form: str
    recording_ids: tuple[str, ...]
    auditor_ids: tuple[str, ...]
    opened_at: datetime
    state: SessionState = SessionState.OPEN
    scores: tuple[SessionScore, ...] = ()
    closed_at: datetime | None = None
    overall: Agreement | None = None
    """Over all items that people answered, each item of each recording a subject; chance is taken within items."""
    by_item: tuple[ItemAgreement, ...] = ()

    def seen_by(self, sub: str) -> "CalibrationSession":
        """While it is open each auditor sees their own scores only."""
        if self.state is SessionState.CLOSED:
            return self
        return replace(self, scores=tuple(one for one in self.scores if one.auditor_id == sub))


def check(session: CalibrationSession) -> None:
    """Raises `NamedTwiceInSession`."""
    for names in (session.recording_ids, session.auditor_ids):
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise NamedTwiceInSession(name=name)
            seen.add(name)


def give(
    session: CalibrationSession,
    form: EvaluationForm,
    recording: Recording,
    answers: Sequence[Answer],
    *,
    by: str,
    now: datetime,
) -> CalibrationSession:
    """The session with an auditor's score of one of its recordings."""
    if session.state is SessionState.CLOSED:
        raise SessionClosed(closed_at=session.closed_at)
    if by not in session.auditor_ids:
        raise NotInSession(auditor=by)
    if recording.id not in session.recording_ids:
        raise RecordingNotInSession(recording_id=recording.id)
    if any((one.recording_id, one.auditor_id) == (recording.id, by) for one in session.scores):
        raise ScoredBefore(auditor=by, recording_id=recording.id)
    if by == recording.agent_id:
        raise OwnCall(auditor=by)
    complete = complete_answers(form, recording, answers)
    given = SessionScore(
        recording_id=recording.id, auditor_id=by, answers=complete, scores=score(form, complete), at=now
    )
    return replace(session, version=session.version + 1, scores=(*session.scores, given))


def close(
    session: CalibrationSession, form: EvaluationForm, *, now: datetime
) -> tuple[CalibrationSession, CalibrationClosed]:
    """Compares all answers; raises `ScoresMissing` while any is missing."""
    if session.state is SessionState.CLOSED:
        raise SessionClosed(closed_at=session.closed_at)
    counts = {auditor: sum(one.auditor_id == auditor for one in session.scores) for auditor in session.auditor_ids}
    if late := sorted(auditor for auditor, count in counts.items() if count < len(session.recording_ids)):
        raise ScoresMissing(auditors=late)
    # What facts fill in is the same for all auditors: it would only flatter the figures.
    ratings = {item: found for item in form.items if (found := _ratings(session, item, of_facts=False))}
    ratings = ratings or {item: _ratings(session, item, of_facts=True) for item in form.items}
    overall = agreement_within_items(list(ratings.values()))
    closed = replace(
        session,
        version=session.version + 1,
        state=SessionState.CLOSED,
        closed_at=now,
        overall=overall,
        by_item=tuple(ItemAgreement(item=item, agreement=agreement(found)) for item, found in ratings.items()),
    )
    return closed, CalibrationClosed(
        session_id=session.id,
        form_id=form.form_id,
        form_version=form.form_version,
        recording_count=len(session.recording_ids),
        auditor_ids=session.auditor_ids,
        agreement_millionths=overall.agreement_millionths,
        kappa_millionths=overall.kappa_millionths,
        kappa_method=overall.kappa_method,
    )


def _ratings(session: CalibrationSession, item: str, *, of_facts: bool) -> list[list[str]]:
    """By recording, what each auditor answered to an item, in the order of `auditor_ids`.

    Without `of_facts` only of recordings at which every auditor answered it.
    """
    by_place: Mapping[tuple[str, str], Answer] = {
        (one.recording_id, one.auditor_id): answer
        for one in session.scores
        for answer in one.answers
        if answer.item == item
    }
    rows = [[by_place[recording, auditor] for auditor in session.auditor_ids] for recording in session.recording_ids]
    is_counted = [of_facts or all(one.answered_by is AnsweredBy.AUDITOR for one in row) for row in rows]
    return [[one.category for one in row] for row, counts in zip(rows, is_counted, strict=True) if counts]
