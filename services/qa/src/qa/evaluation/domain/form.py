"""An evaluation form: sections with weights, items that are answered, facts that answer some of them, and the score.

Three scores are kept apart. *Raw* is the weighted score in hundredths of a point, 0 to 10,000: within a section the
share of each applicable item times its weight over the weights of the applicable items; over the sections the same.
What is not applicable gives its weight to the others. *Fatal* are the fatal items that were answered no. *Final* is
the raw score, or 0 when a fatal item failed. Exact fractions throughout; rounded once, halves to even.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from contracts.calls import CallOutcome
from contracts.directory import Names
from contracts.refusals import Invalid
from qa.recordings.domain.recording import Recording

WHOLE = 100
_YES, _NO = "yes", "no"


class ItemKind(StrEnum):
    YES_NO = "yes_no"
    CHOICE = "choice"
    POINTS = "points"


class CallFactName(StrEnum):
    """What the events of a call can answer by themselves."""

    ANSWERED_WITHIN = "answered_within"
    ORDER_CREATED = "order_created"
    PROMISE_GIVEN = "promise_given"


class AnsweredBy(StrEnum):
    AUDITOR = "auditor"
    FACT = "fact"


class WeightsDoNotAddUp(Invalid):
    """The weights of {place} add up to {total}, not to 100."""

    zh = "{place} 的权重合计为 {total}，应为 100。"


class NamedTwiceInForm(Invalid):
    """{name} appears twice in the form."""

    zh = "{name} 在表单中重复。"


class ItemMisdefined(Invalid):
    """The item {item} is invalid: {reason}."""

    zh = "评分项 {item} 无效：{reason}。"


class AnswersDoNotFit(Invalid):
    """The answers do not match the form: missing {missing}; unknown {unknown}; not allowed {impossible}."""

    zh = "答案与评分表不符：缺少 {missing}；未知 {unknown}；不允许 {impossible}。"


class FilledFromFacts(Invalid):
    """{items} are filled from the facts of the call and must be left out."""

    zh = "{items} 由通话事实自动填写，不得提交。"


class NothingApplicable(Invalid):
    """No scored item is applicable, so there is no score."""

    zh = "没有可计分的适用项，无法评分。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    option: str
    names: Names
    percent: int
    """The share of the item's weight that this answer earns, 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    item: str
    names: Names
    kind: ItemKind
    weight: int
    """Within its section; all of a section add up to 100. A fatal item may weigh nothing."""
    options: tuple[Option, ...] = ()
    """Of a choice."""
    highest: int | None = None
    """Of points: 0 to so many."""
    is_fatal: bool = False
    """Answered no, the final score is 0."""
    may_be_not_applicable: bool = False
    fact: CallFactName | None = None
    """Filled from the events of the call where they say it, by the auditor where they do not."""
    fact_seconds: int | None = None
    """The threshold of `answered_within`."""

    def check(self) -> None:
        """Raises `ItemMisdefined`."""
        for is_wrong, en, zh in (
            (self.kind is not ItemKind.CHOICE and self.options, "only a choice has options", "只有选择题才有选项"),
            (
                self.kind is ItemKind.CHOICE and len(self.options) < 2,
                "a choice has two options or more",
                "选择题至少有两个选项",
            ),
            (len({one.option for one in self.options}) < len(self.options), "an option is named twice", "选项重复"),
            (
                (self.kind is ItemKind.POINTS) != (self.highest is not None),
                "points, and only they, have a highest",
                "分值题须有最高分，且仅限分值题",
            ),
            (
                self.is_fatal and self.kind is not ItemKind.YES_NO,
                "a fatal item is answered yes or no",
                "致命项只能以是或否回答",
            ),
            (
                self.fact is not None and self.kind is not ItemKind.YES_NO,
                "a fact answers yes or no",
                "事实只能回答是或否",
            ),
            (
                (self.fact is CallFactName.ANSWERED_WITHIN) != (self.fact_seconds is not None),
                "answered_within, and only it, has seconds",
                "时限内接听须给出秒数，且仅限此事实",
            ),
        ):
            if is_wrong:
                raise ItemMisdefined(item=self.item, reason=Names(en, zh))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    section: str
    names: Names
    weight: int
    """All sections add up to 100."""
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRules:
    """Numbers that go with a form."""

    blind_tolerance_hundredths: int = 500
    """Two auditors whose final scores differ by no more agree."""
    appeal_within_hours: int = 120
    decide_within_hours: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationForm:
    """One version of a form; a version never changes."""

    id: str
    """The form and the version, such as `service:3`."""
    form_id: str
    form_version: int
    names: Names
    sections: tuple[Section, ...]
    rules: FormRules
    published_at: datetime
    published_by: str
    version: int = 1

    @property
    def items(self) -> dict[str, Item]:
        return {item.item: item for section in self.sections for item in section.items}

    def check(self) -> None:
        """Raises `WeightsDoNotAddUp`, `NamedTwiceInForm` or `ItemMisdefined`."""
        _check_sum(Names("the sections", "各部分"), (section.weight for section in self.sections))
        _check_names(section.section for section in self.sections)
        _check_names(item.item for section in self.sections for item in section.items)
        for section in self.sections:
            _check_sum(
                Names(f"section {section.section}", f"部分 {section.section}"), (item.weight for item in section.items)
            )
            for item in section.items:
                item.check()


def _check_sum(place: Names, weights: Iterable[int]) -> None:
    if (total := sum(weights)) != WHOLE:
        raise WeightsDoNotAddUp(place=place, total=total)


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise NamedTwiceInForm(name=name)
        seen.add(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to an item: an option (`yes`, `no`, or of a choice), points, or that it does not apply."""

    item: str
    option: str | None = None
    points: int | None = None
    is_not_applicable: bool = False
    answered_by: AnsweredBy = AnsweredBy.AUDITOR

    @property
    def category(self) -> str:
        """The answer as one word: what agreement is counted on."""
        return "not_applicable" if self.is_not_applicable else self.option or str(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    raw_hundredths: int
    fatal_items: tuple[str, ...]
    final_hundredths: int


def facts_of(form: EvaluationForm, recording: Recording) -> dict[str, Answer]:
    """The items that the events of the call answer; an item whose fact is not known is not among them."""
    answers = {}
    for item in form.items.values():
        known = _fact(item, recording)
        if known is not None:
            answers[item.item] = Answer(item=item.item, option=_YES if known else _NO, answered_by=AnsweredBy.FACT)
    return answers


def _fact(item: Item, recording: Recording) -> bool | None:
    match item.fact:
        case CallFactName.ANSWERED_WITHIN:
            wait = recording.wait_milliseconds
            return None if wait is None or item.fact_seconds is None else wait <= item.fact_seconds * 1000
        case CallFactName.ORDER_CREATED:
            return CallOutcome.WORK_ORDER.value in recording.outcomes if recording.outcomes else None
        case CallFactName.PROMISE_GIVEN:
            return recording.has_promise if recording.outcomes or recording.has_promise else None
        case _:
            return None


def complete_answers(form: EvaluationForm, recording: Recording, given: Sequence[Answer]) -> tuple[Answer, ...]:
    """The auditor's answers with those of the facts, in the form's order.

    Raises `FilledFromFacts` or `AnswersDoNotFit`.
    """
    facts = facts_of(form, recording)
    by_item = {answer.item: answer for answer in given}
    if taken := sorted(set(facts) & set(by_item)):
        raise FilledFromFacts(items=taken)
    answers = facts | by_item
    items = form.items
    missing = sorted(set(items) - set(answers))
    unknown = sorted(set(answers) - set(items))
    impossible = sorted(name for name, one in answers.items() if name in items and not _is_possible(items[name], one))
    if missing or unknown or impossible or len(by_item) < len(given):
        raise AnswersDoNotFit(missing=missing, unknown=unknown, impossible=impossible)
    return tuple(answers[name] for name in items)


def _is_possible(item: Item, answer: Answer) -> bool:
    if answer.is_not_applicable:
        return item.may_be_not_applicable and answer.option is None and answer.points is None
    if item.kind is ItemKind.POINTS:
        return answer.option is None and answer.points is not None and 0 <= answer.points <= (item.highest or 0)
    options = {_YES, _NO} if item.kind is ItemKind.YES_NO else {one.option for one in item.options}
    return answer.points is None and answer.option in options


def score(form: EvaluationForm, answers: Sequence[Answer]) -> Scores:
    """The three scores of a complete set of answers; raises `NothingApplicable`."""
    by_item = {answer.item: answer for answer in answers}
    parts = [(section.weight, _section_share(section, by_item)) for section in form.sections]
    weights = sum(weight for weight, share in parts if share is not None)
    if weights == 0:
        raise NothingApplicable()
    raw = sum((weight * share for weight, share in parts if share is not None), Fraction(0)) / weights
    fatal = tuple(item.item for item in form.items.values() if item.is_fatal and by_item[item.item].option == _NO)
    hundredths = round(raw * 10_000)
    return Scores(raw_hundredths=hundredths, fatal_items=fatal, final_hundredths=0 if fatal else hundredths)


def _section_share(section: Section, answers: Mapping[str, Answer]) -> Fraction | None:
    applicable = [item for item in section.items if not answers[item.item].is_not_applicable]
    weights = sum(item.weight for item in applicable)
    if weights == 0:
        return None
    return sum((item.weight * _share(item, answers[item.item]) for item in applicable), Fraction(0)) / weights


def _share(item: Item, answer: Answer) -> Fraction:
    if item.kind is ItemKind.POINTS:
        return Fraction(answer.points or 0, item.highest or 1)
    if item.kind is ItemKind.YES_NO:
        return Fraction(answer.option == _YES)
    return Fraction(next(one.percent for one in item.options if one.option == answer.option), WHOLE)
