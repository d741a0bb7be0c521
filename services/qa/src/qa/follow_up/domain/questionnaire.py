"""A questionnaire: versions of questions, what an answer must look like, and which answers are findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.directory import Names
from contracts.quality import FindingKind
from contracts.refusals import Invalid


class QuestionKind(StrEnum):
    YES_NO = "yes_no"
    CHOICE = "choice"
    SCALE = "scale"
    TEXT = "text"


class QuestionMisdefined(Invalid):
    """The question {question} is invalid: {reason}."""

    zh = "问题 {question} 无效：{reason}。"


class RepliesDoNotFit(Invalid):
    """The replies do not match the questionnaire: missing {missing}; unknown {unknown}; not allowed {impossible}."""

    zh = "回答与问卷不符：缺少 {missing}；未知 {unknown}；不允许 {impossible}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    choice: str
    names: Names
    opens: FindingKind | None = None
    """A reply with this choice is a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyQuestion:
    question: str
    names: Names
    kind: QuestionKind
    is_required: bool = True
    choices: tuple[Choice, ...] = ()
    """Of a choice, and of yes or no where one of the two is a finding."""
    highest: int | None = None
    """Of a scale: 1 to so many."""
    is_satisfaction: bool = False
    """The scale on which the subscriber rates their satisfaction; at most one question."""
    opens: FindingKind | None = None
    """Of a scale: a reply of no more than `opens_up_to` is a finding."""
    opens_up_to: int | None = None

    def check(self) -> None:
        """Raises `QuestionMisdefined`."""
        names = [one.choice for one in self.choices]
        for is_wrong, en, zh in (
            (
                self.kind is QuestionKind.CHOICE and len(names) < 2,
                "a choice has two choices or more",
                "选择题至少有两个选项",
            ),
            (
                self.kind is QuestionKind.YES_NO and not set(names) <= {"yes", "no"},
                "yes and no are the choices",
                "选项只能为是和否",
            ),
            (self.kind in (QuestionKind.SCALE, QuestionKind.TEXT) and names, "it has no choices", "不应有选项"),
            (len(set(names)) < len(names), "a choice is named twice", "选项重复"),
            (
                (self.kind is QuestionKind.SCALE) != (self.highest is not None),
                "a scale, and only it, has a highest",
                "量表须有最高值，且仅限量表",
            ),
            (self.is_satisfaction and self.kind is not QuestionKind.SCALE, "satisfaction is a scale", "满意度须为量表"),
            (
                (self.opens is None) != (self.opens_up_to is None),
                "opens and opens_up_to go together",
                "发现的类别与其上限须同时给出",
            ),
            (
                self.opens is not None and self.kind is not QuestionKind.SCALE,
                "opens_up_to is of a scale",
                "发现的上限仅限量表",
            ),
            (
                (self.opens_up_to or 0) >= (self.highest or 101),
                "opens_up_to is below the highest",
                "发现的上限须低于最高值",
            ),
        ):
            if is_wrong:
                raise QuestionMisdefined(question=self.question, reason=Names(en, zh))


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """One version of a questionnaire; a version never changes."""

    id: str
    """The questionnaire and the version, such as `visit:2`."""
    questionnaire_id: str
    questionnaire_version: int
    names: Names
    questions: tuple[SurveyQuestion, ...]
    published_at: datetime
    published_by: str
    version: int = 1

    def check(self) -> None:
        """Raises `QuestionMisdefined`."""
        seen: set[str] = set()
        for question in self.questions:
            if question.question in seen:
                raise QuestionMisdefined(question=question.question, reason=Names("it is asked twice", "重复提问"))
            seen.add(question.question)
            question.check()
        content = [question.question for question in self.questions if question.is_satisfaction]
        if len(content) > 1:
            raise QuestionMisdefined(question=content[1], reason=Names("satisfaction is asked once", "满意度只问一次"))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionReply:
    question: str
    choice: str | None = None
    """Of a choice, and of yes or no."""
    scale: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    score: int
    highest: int


def check_replies(questionnaire: Questionnaire, replies: Sequence[QuestionReply]) -> None:
    """Raises `RepliesDoNotFit`."""
    questions = {question.question: question for question in questionnaire.questions}
    given = {reply.question: reply for reply in replies}
    missing = sorted(name for name, one in questions.items() if one.is_required and name not in given)
    unknown = sorted(set(given) - set(questions))
    impossible = sorted(name for name, one in given.items() if name in questions and not _fits(questions[name], one))
    if missing or unknown or impossible or len(given) < len(replies):
        raise RepliesDoNotFit(missing=missing, unknown=unknown, impossible=impossible)


def _fits(question: SurveyQuestion, reply: QuestionReply) -> bool:
    is_possible = {
        QuestionKind.YES_NO: reply.choice in ("yes", "no"),
        QuestionKind.CHOICE: reply.choice in {one.choice for one in question.choices},
        QuestionKind.SCALE: reply.scale is not None and 1 <= reply.scale <= (question.highest or 0),
        QuestionKind.TEXT: bool(reply.text),
    }[question.kind]
    return is_possible and sum(one is not None for one in (reply.choice, reply.scale, reply.text)) == 1


def satisfaction_of(questionnaire: Questionnaire, replies: Sequence[QuestionReply]) -> Satisfaction | None:
    question = next((one for one in questionnaire.questions if one.is_satisfaction), None)
    reply = next((one for one in replies if question and one.question == question.question), None)
    if question is None or question.highest is None or reply is None or reply.scale is None:
        return None
    return Satisfaction(score=reply.scale, highest=question.highest)


def findings_of(questionnaire: Questionnaire, replies: Sequence[QuestionReply]) -> list[tuple[str, FindingKind]]:
    """The questions whose replies are findings, with what they are."""
    given = {reply.question: reply for reply in replies}
    found = []
    for question in questionnaire.questions:
        reply = given.get(question.question)
        kind = _finding(question, reply) if reply is not None else None
        if kind is not None:
            found.append((question.question, kind))
    return found


def _finding(question: SurveyQuestion, reply: QuestionReply) -> FindingKind | None:
    if reply.scale is not None:
        return question.opens if question.opens_up_to is not None and reply.scale <= question.opens_up_to else None
    return next((one.opens for one in question.choices if one.choice == reply.choice), None)
