"""Scores: weighted over what applies, exact, with the three kept apart."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.directory import Names
from qa.evaluation.domain.form import (
    Answer,
    EvaluationForm,
    FormRules,
    Item,
    ItemKind,
    NothingApplicable,
    Option,
    Section,
    score,
)

NAMES = Names("x", "某")


def make_item(item: str, weight: int, **more) -> Item:
    values = {"kind": ItemKind.YES_NO, "may_be_not_applicable": True} | more
    return Item(item=item, names=NAMES, weight=weight, **values)


def make_form(*sections: tuple[int, tuple[Item, ...]]) -> EvaluationForm:
    return EvaluationForm(
        id="f:1",
        form_id="f",
        form_version=1,
        names=NAMES,
        sections=tuple(
            Section(section=f"s{place}", names=NAMES, weight=weight, items=items)
            for place, (weight, items) in enumerate(sections)
        ),
        rules=FormRules(),
        published_at=datetime(2026, 3, 2, tzinfo=UTC),
        published_by="supervisor-1",
    )


OPTIONS = tuple(Option(option=name, names=NAMES, percent=percent) for name, percent in (("full", 100), ("half", 50)))
FORM = make_form(
    (30, (make_item("a", 40), make_item("b", 60))),
    (70, (make_item("c", 100, kind=ItemKind.CHOICE, options=OPTIONS), make_item("d", 0, is_fatal=True))),
)
YES, NO, NOT = {"option": "yes"}, {"option": "no"}, {"is_not_applicable": True}


def answers(**given) -> list[Answer]:
    values = {"a": YES, "b": YES, "c": {"option": "full"}, "d": YES} | given
    return [Answer(item=item, **answer) for item, answer in values.items()]


@pytest.mark.parametrize(
    ("given", "raw"),
    [
        ({}, 10_000),
        ({"b": NO}, 8_200),
        ({"b": NOT}, 10_000),
        ({"a": NO, "b": NOT}, 7_000),
        ({"a": NOT, "b": NOT, "c": {"option": "half"}}, 5_000),
        ({"c": NOT, "b": NO}, 4_000),
        ({"c": {"option": "half"}}, 6_500),
    ],
)
def test_what_does_not_apply_gives_its_weight_to_the_others(given: dict, raw: int) -> None:
    assert score(FORM, answers(**given)).raw_hundredths == raw


def test_a_failed_fatal_item_takes_the_final_score_and_leaves_the_raw_one() -> None:
    scores = score(FORM, answers(d=NO, b=NO))
    assert (scores.raw_hundredths, scores.fatal_items, scores.final_hundredths) == (8_200, ("d",), 0)


def test_where_nothing_applies_there_is_no_score() -> None:
    with pytest.raises(NothingApplicable):
        score(FORM, answers(a=NOT, b=NOT, c=NOT))


@given(
    weights=st.lists(st.integers(1, 30), min_size=2, max_size=8),
    given_points=st.lists(st.integers(0, 7), min_size=8, max_size=8),
)
def test_a_score_is_rounded_once_and_never_outside_its_bounds(weights: list[int], given_points: list[int]) -> None:
    items = tuple(
        make_item(f"i{place}", weight, kind=ItemKind.POINTS, highest=7) for place, weight in enumerate(weights)
    )
    points = [Answer(item=item.item, points=given_points[place]) for place, item in enumerate(items)]
    exact = sum(Fraction(weight * given_points[place], 7) for place, weight in enumerate(weights)) / sum(weights)
    scores = score(make_form((100, items)), points)
    assert scores.raw_hundredths == scores.final_hundredths == round(exact * 10_000)
    assert 0 <= scores.raw_hundredths <= 10_000
