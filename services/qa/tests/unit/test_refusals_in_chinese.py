"""What is wrong with a form, a questionnaire or a plan is said in the reader's language, to the last word."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from services.qa.tests.unit.builders import (
    NOW,
    QUESTIONS,
    make_form,
    make_item,
    make_project,
    make_questionnaire,
    make_section,
)

from contracts.refusals import Refusal
from qa.evaluation.domain.form import ItemKind
from qa.follow_up.domain.project import HandedOut, Quotas
from qa.follow_up.domain.questionnaire import QuestionKind
from qa.sampling.domain.plan import PlanContent, Where, commit

YES_NO = make_item("项", 100)


def plan_with(where: Where) -> None:
    content = PlanContent(period_start=NOW, period_end=NOW.replace(year=2027), strata=(), mandatory=(where,))
    commit("p", "p", content, seed=b"", double_blind_every=0, by="s", now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: make_form(make_section("节", 100, make_item("项", 100, kind=ItemKind.CHOICE))).check(),
        lambda: make_form(make_section("节", 100, make_item("项", 100, kind=ItemKind.POINTS))).check(),
        lambda: make_form(make_section("节", 9, YES_NO)).check(),
        lambda: make_form(make_section("节", 100, make_item("项", 7))).check(),
        lambda: make_questionnaire(replace(QUESTIONS[0], question="问", kind=QuestionKind.CHOICE)).check(),
        lambda: make_questionnaire(*[replace(QUESTIONS[0], question="问")] * 2).check(),
        lambda: plan_with(Where(length_from_seconds=9, length_below_seconds=9)),
        lambda: plan_with(Where(seniority_from_months=9, seniority_below_months=9)),
        lambda: make_project(quotas=Quotas(per_manager_month=1)).check_quotas(
            HandedOut(today=0, this_month=0, to_caller_this_month=1)
        ),
    ],
)
def test_a_refusal_to_a_chinese_reader_has_no_english_word(wrong: Callable[[], None]) -> None:
    with pytest.raises(Refusal) as refused:
        wrong()
    assert not re.search("[a-z]{2,}", refused.value.message("zh")), refused.value.message("zh")
    assert re.search("[a-z]{2,}", refused.value.message("en"))
