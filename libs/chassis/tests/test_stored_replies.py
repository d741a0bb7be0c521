"""Whom a stored reply is given to again."""

import pytest

from chassis.commands import Idempotency

EVERY = None

# role and areas of the first token, those of the present one, and whether it gets the stored reply
CASES = [
    ("agent", EVERY, "agent", EVERY, True),
    ("agent", ("north",), "agent", EVERY, True),
    ("agent", ("north",), "agent", ("north",), True),
    ("agent", ("north",), "agent", ("south", "north"), True),
    ("agent", (), "agent", ("south",), True),
    ("agent", (), "agent", (), True),
    ("agent", EVERY, "agent", ("north",), False),
    ("agent", EVERY, "agent", (), False),
    ("agent", ("north",), "agent", ("south",), False),
    ("agent", ("north", "south"), "agent", ("south",), False),
    ("agent", ("north",), "agent", (), False),
    ("supervisor", EVERY, "technician", EVERY, False),
    ("supervisor", ("north",), "technician", ("north",), False),
    ("agent", EVERY, "supervisor", EVERY, False),
    # stored by code that did not keep whom it was for
    (None, None, "agent", EVERY, True),
    (None, None, "agent", ("north",), False),
    (None, None, "agent", (), False),
]


@pytest.mark.parametrize(("first_role", "first_areas", "role", "areas", "is_given"), CASES)
def test_a_stored_reply_is_given_again_to_the_same_role_with_at_least_the_same_areas(
    first_role: str | None,
    first_areas: tuple[str, ...] | None,
    role: str,
    areas: tuple[str, ...] | None,
    is_given: bool,
) -> None:
    present = Idempotency(caller="a-1", route="POST /x", key="k", fingerprint="f", role=role, areas=areas)
    assert present.may_have(first_role, first_areas) is is_given
