"""The draw: which recordings of a frame are evaluated. The same plan, frame and seed give the same sample.

Within a stratum it is systematic sampling with probabilities proportional to size (Madow 1949, Annals of
Mathematical Statistics 20, 333–354) on a randomised order (Hartley and Rao 1962, ibid. 33, 350–374), in whole
numbers only, so that nothing is rounded and every inclusion probability is exact:

1. A stratum has N recordings with sizes x (whole numbers from 1) of sum X, and n of them are to be drawn. While
   n·x ≥ X for some recording, all such are taken for certain, and n, X and N shrink by them.
2. The others stand in the order of HMAC-SHA256(seed, "order" LF recording id), as bytes.
3. A start r, uniform over 0 … X−1, comes from HMAC-SHA256(seed, "start" LF stratum LF counter) as a big-endian
   number: the first for counter 0, 1, 2, … that is below the largest multiple of X within 2²⁵⁶, modulo X.
4. With C the running sum of x, a recording is drawn if n·C(before) ≤ r + k·X < n·C(with it) for some whole k.

Each of the X possible starts draws exactly n recordings, and a recording is drawn by exactly n·x of them: its
inclusion probability is n·x / X. `docs/quality.md` explains it; `linework redraw` implements that page independently.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ALGORITHM = "linework-draw-1"
"""Named in every published draw; another way to draw gets another name."""

_MANDATORY = "mandatory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A recording as the draw sees it. `quota` is how many of its stratum are to be drawn."""

    recording_id: str
    stratum: str
    size: int
    """Its risk weight, from 1: twice the size is twice as likely to be drawn."""
    quota: int
    is_mandatory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What the draw did with a recording. Its inclusion probability is `numerator / denominator`, exactly."""

    recording_id: str
    stratum: str
    numerator: int
    denominator: int
    is_drawn: bool

    @property
    def probability(self) -> float:
        return self.numerator / self.denominator


def draw(units: Iterable[Unit], seed: bytes) -> list[Drawn]:
    """Every recording of the frame with its inclusion probability and its luck, by recording id."""
    strata: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        strata[_MANDATORY if unit.is_mandatory else unit.stratum].append(unit)
    drawn = [
        one
        for stratum, members in strata.items()
        for one in (_census(members) if stratum == _MANDATORY else _draw_stratum(stratum, members, seed))
    ]
    return sorted(drawn, key=lambda one: one.recording_id)


def _census(members: Sequence[Unit]) -> list[Drawn]:
    return [_settled(unit, _MANDATORY, 1, 1, is_drawn=True) for unit in members]


def _settled(unit: Unit, stratum: str, numerator: int, denominator: int, *, is_drawn: bool) -> Drawn:
    return Drawn(
        recording_id=unit.recording_id,
        stratum=stratum,
        numerator=numerator,
        denominator=denominator,
        is_drawn=is_drawn,
    )


def _draw_stratum(stratum: str, members: Sequence[Unit], seed: bytes) -> list[Drawn]:
    certain, others, quota = _split_certain(members)
    settled = [_settled(unit, stratum, 1, 1, is_drawn=True) for unit in certain]
    if quota == 0:
        return settled + [_settled(unit, stratum, 0, 1, is_drawn=False) for unit in others]
    total = sum(unit.size for unit in others)
    start = _start(stratum, total, seed)
    before = 0
    for unit in sorted(others, key=lambda unit: _order(unit.recording_id, seed)):
        # The first point r + k·X that is not below n·C(before), and whether it lies before n·C(with it).
        point = start + -((start - quota * before) // total) * total
        is_drawn = point < quota * (before + unit.size)
        settled.append(_settled(unit, stratum, quota * unit.size, total, is_drawn=is_drawn))
        before += unit.size
    return settled


def _split_certain(members: Sequence[Unit]) -> tuple[list[Unit], list[Unit], int]:
    """Who is taken for certain, who is left to chance, and how many of those are drawn."""
    quota = min(members[0].quota, len(members))
    certain: list[Unit] = []
    others = list(members)
    while quota:
        total = sum(unit.size for unit in others)
        large = {unit.recording_id for unit in others if quota * unit.size >= total}
        if not large:
            break
        certain += [unit for unit in others if unit.recording_id in large]
        others = [unit for unit in others if unit.recording_id not in large]
        quota -= len(large)
    return certain, others, quota


def _order(recording_id: str, seed: bytes) -> bytes:
    return hmac.digest(seed, f"order\n{recording_id}".encode(), hashlib.sha256)


def _start(stratum: str, total: int, seed: bytes) -> int:
    fair = 2**256 - 2**256 % total
    counter = 0
    while True:
        digest = hmac.digest(seed, f"start\n{stratum}\n{counter}".encode(), hashlib.sha256)
        if (number := int.from_bytes(digest, "big")) < fair:
            return number % total
        counter += 1
