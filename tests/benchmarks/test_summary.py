"""What the benchmarks compute from what they measured."""

import pytest
from benchmarks.measures import cost_by_kind
from benchmarks.rounds import measure_in_turn
from benchmarks.summary import Spread, ratios, spread, table


def test_a_spread_is_the_median_with_least_and_most() -> None:
    assert spread([3.0, 1.0, 2.0]) == Spread(median=2.0, least=1.0, most=3.0)
    assert spread([1.0, 2.0]).median == 1.5


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([14.08, 13.9, 15.02], "14.1 (13.9 to 15.0)"),
        ([0.404], "0.40"),
        ([1234.5, 99.94, 5000.0], "1,234 (99.9 to 5,000)"),
    ],
)
def test_a_spread_is_shown_with_three_digits(values: list[float], shown: str) -> None:
    assert str(spread(values)) == shown


def test_a_ratio_is_of_the_values_of_one_round() -> None:
    assert ratios([10.0, 20.0], [5.0, 40.0]) == [2.0, 0.5]


def test_rounds_that_do_not_match_have_no_ratio() -> None:
    with pytest.raises(ValueError):
        ratios([1.0], [1.0, 2.0])


def test_two_sides_have_a_ratio_that_is_the_median_of_the_pairs() -> None:
    ours, theirs = {"creates": [100.0, 30.0, 60.0], "floor": [9.0]}, {"creates": [10.0, 10.0, 10.0]}
    lines = list(table({"Linework": ours, "peer": theirs}, {"creates": "creates a second", "floor": "floor"}))
    assert lines == [
        "| what | Linework | peer | Linework / peer |",
        "|---|---|---|---|",
        "| creates a second | 60.0 (30.0 to 100) | 10.0 | 6.00 (3.00 to 10.0) |",
        "| floor | 9.00 |  |  |",
    ]


def test_one_side_has_no_ratio_and_what_was_not_measured_has_no_row() -> None:
    assert list(table({"this": {"a": [1.0]}}, {"a": "A", "b": "B"}))[2:] == ["| A | 1.00 |"]


async def test_every_second_round_is_in_the_opposite_order() -> None:
    asked = []

    def side(name: str):
        async def measured() -> dict[str, float]:
            asked.append(name)
            return {"place": float(len(asked))}

        return measured

    values = await measure_in_turn({"a": side("a"), "b": side("b")}, rounds=3)
    assert "".join(asked) == "abbaab"
    assert values == {"a": {"place": [1.0, 4.0, 5.0]}, "b": {"place": [2.0, 3.0, 6.0]}}


def test_the_cost_of_a_lifecycle_is_by_kind_of_process() -> None:
    used = {"qa": 1.0, "intake": 0.5, "qa_worker": 2.0, "postgres": 3.0, "kafka": 0.5, "client": 9.0, "supervisor": 5.0}
    assert cost_by_kind(used, lifecycles=100) == {
        "HTTP processes": 15.0,
        "workers": 20.0,
        "PostgreSQL": 30.0,
        "Kafka": 5.0,
        "the client": 90.0,
    }
