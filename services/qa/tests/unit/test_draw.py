"""The draw: exact chances, fixed sizes, the same sample for everybody."""

import hashlib
import random
from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from qa.sampling.domain import draw as drawing
from qa.sampling.domain.draw import Unit, draw

STRATUM = st.tuples(st.integers(0, 6), st.lists(st.integers(1, 40), min_size=1, max_size=25))
STRATA = st.lists(STRATUM, min_size=1, max_size=5)


def make_units(strata: list[tuple[int, list[int]]], *, mandatory: int = 0) -> list[Unit]:
    units = [
        Unit(recording_id=f"r-{place}-{number}", stratum=f"s{place}/agent", size=size, quota=quota)
        for place, (quota, sizes) in enumerate(strata)
        for number, size in enumerate(sizes)
    ]
    must = [
        Unit(recording_id=f"m-{number}", stratum="s0/agent", size=3, quota=2, is_mandatory=True)
        for number in range(mandatory)
    ]
    return units + must


def seed_of(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


@given(strata=STRATA, mandatory=st.integers(0, 4), seed=st.binary(min_size=32, max_size=32))
def test_as_many_are_drawn_as_the_chances_of_a_stratum_add_up_to(strata, mandatory, seed) -> None:
    drawn = draw(make_units(strata, mandatory=mandatory), seed)
    for place, (quota, sizes) in enumerate(strata):
        members = [one for one in drawn if one.stratum == f"s{place}/agent"]
        chances = sum(Fraction(one.numerator, one.denominator) for one in members)
        assert chances == sum(one.is_drawn for one in members) == min(quota, len(sizes))
        assert all(0 <= one.numerator <= one.denominator for one in members)
    must = [one for one in drawn if one.stratum == "mandatory"]
    assert len(must) == mandatory
    assert all(one.is_drawn and one.probability == 1 for one in must)


@given(strata=STRATA, seed=st.binary(min_size=32, max_size=32), shuffle=st.randoms(use_true_random=False))
def test_the_same_frame_and_seed_give_the_same_sample_in_whatever_order_it_comes(strata, seed, shuffle) -> None:
    units = make_units(strata)
    shuffled = list(units)
    shuffle.shuffle(shuffled)
    assert draw(units, seed) == draw(shuffled, seed)


@given(strata=STRATA)
def test_a_chance_is_proportional_to_the_size_until_it_is_certain(strata) -> None:
    for one in draw(make_units(strata), seed_of(1)):
        place, number = map(int, one.recording_id.split("-")[1:])
        quota, sizes = strata[place]
        if one.probability < 1 and quota:
            share = Fraction(one.numerator, one.denominator) / sizes[number]
            same = [
                Fraction(other.numerator, other.denominator) / sizes[int(other.recording_id.split("-")[2])]
                for other in draw(make_units(strata), seed_of(2))
                if other.stratum == one.stratum and other.probability < 1
            ]
            assert set(same) == {share}


def test_over_all_starts_each_recording_is_drawn_exactly_as_often_as_its_chance_says(monkeypatch) -> None:
    """Not a simulation: every one of the X starts once, for a fixed order."""
    units = make_units([(3, [1, 2, 3, 4, 5, 6])])
    total = 21
    hits = Counter()
    for start in range(total):
        monkeypatch.setattr(drawing, "_start", lambda *_, start=start: start)
        drawn = draw(units, seed_of(7))
        assert sum(one.is_drawn for one in drawn) == 3
        hits.update(one.recording_id for one in drawn if one.is_drawn)
    assert hits == {one.recording_id: one.numerator for one in drawn}
    assert {one.denominator for one in drawn} == {total}


def test_a_start_is_drawn_again_rather_than_favouring_small_numbers(monkeypatch) -> None:
    digests = iter([b"\xff" * 32, (5).to_bytes(32, "big")])
    monkeypatch.setattr(drawing.hmac, "digest", lambda *_: next(digests))
    # 2²⁵⁶ − 1 is not below the largest multiple of 7 within 2²⁵⁶, which leaves a remainder of 2.
    assert drawing._start("s", 7, b"") == 5


def test_who_weighs_more_than_a_place_is_worth_is_certain_and_the_others_share_what_is_left() -> None:
    drawn = {one.recording_id: one for one in draw(make_units([(2, [100, 1, 1, 2])]), seed_of(3))}
    assert drawn["r-0-0"].probability == 1
    assert [drawn[f"r-0-{n}"].probability for n in (1, 2, 3)] == [0.25, 0.25, 0.5]
    assert sum(one.is_drawn for one in drawn.values()) == 2


def test_without_a_quota_nobody_is_drawn_and_with_too_large_a_one_everybody() -> None:
    assert not any(one.is_drawn or one.numerator for one in draw(make_units([(0, [1, 2])]), seed_of(1)))
    assert all(one.is_drawn and one.probability == 1 for one in draw(make_units([(9, [1, 2])]), seed_of(1)))
    assert draw([], seed_of(1)) == []


def test_another_seed_gives_another_sample() -> None:
    units = make_units([(5, [random.Random(1).randint(1, 9) for _ in range(60)])])
    samples = {tuple(one.recording_id for one in draw(units, seed_of(n)) if one.is_drawn) for n in range(20)}
    assert len(samples) == 20
