"""A telephone number has one spelling."""

import pytest

from intake.subscribers.phone_numbers import one_spelling


@pytest.mark.parametrize(
    "written",
    [
        "13800001111",
        "138-0000-1111",
        "138 0000 1111",
        "013800001111",
        "8613800001111",
        "+8613800001111",
        "+86 138 0000 1111",
        "008613800001111",
        "１３８００００１１１１",
    ],
)
def test_a_number_is_stored_in_e164_however_it_is_written(written: str) -> None:
    assert one_spelling(written, "86") == "+8613800001111"


@pytest.mark.parametrize("written", ["(021) 6123-4567", "021 61234567", "+86 (0)21-6123 4567", "00862161234567"])
def test_a_landline_is_stored_in_e164_with_its_area_code(written: str) -> None:
    assert one_spelling(written, "86") == "+862161234567"


@pytest.mark.parametrize("service_number", ["95598", "110", "12345", "10086", "4008201234", "8008201234", "61234567"])
def test_what_cannot_be_dialled_from_abroad_stays_as_its_digits(service_number: str) -> None:
    assert one_spelling(service_number, "86") == service_number


def test_a_number_of_another_country_keeps_its_own_code() -> None:
    assert one_spelling("+1 (212) 555-0100", "86") == one_spelling("001 212 555 0100", "86") == "+12125550100"


def test_an_extension_is_not_lost() -> None:
    assert one_spelling("021-61234567 ext 12", "86") == "021-61234567 ext 12"


def test_an_italian_landline_keeps_its_zero() -> None:
    assert one_spelling("02 1234 5678", "39") == "+390212345678"


@pytest.mark.parametrize("written", ["sip:desk@example.org", "", "+", "9" * 300, "9" * 17])
def test_what_is_no_number_stays_as_it_is(written: str) -> None:
    assert one_spelling(written, "86") == written
