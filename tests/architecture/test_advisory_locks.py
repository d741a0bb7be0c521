"""Spaces of advisory locks stand in one register, where two of the same number cannot be."""

import ast
from collections.abc import Iterator
from enum import IntEnum, unique
from pathlib import Path

import pytest

from chassis.advisory_locks import AdvisoryLock

ROOT = Path(__file__).parents[2]
REGISTER = ROOT / "libs/chassis/src/chassis/advisory_locks.py"
FIRST, LAST = 0x4C57_0000, 0x4C57_FFFF


def numbers_in(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and type(node.value) is int and FIRST <= node.value <= LAST:
            yield node.value


def test_no_number_of_a_lock_stands_outside_the_register() -> None:
    sources = [*ROOT.glob("libs/*/src/**/*.py"), *ROOT.glob("services/*/src/**/*.py"), *ROOT.glob("tools/src/**/*.py")]
    assert REGISTER in sources
    found = {path.name: list(numbers_in(path.read_text("utf-8"))) for path in sources if path != REGISTER}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}
    assert list(numbers_in("_LOCK = 0x4C57_0006")) == [0x4C57_0006]


def test_two_meanings_never_share_a_number() -> None:
    numbers = list(numbers_in(REGISTER.read_text("utf-8")))
    assert numbers == [lock.value for lock in AdvisoryLock]
    assert len(set(numbers)) == len(numbers)
    with pytest.raises(ValueError, match="duplicate values"):
        unique(IntEnum("Planted", {"ONE": 1, "OTHER": 1}))
