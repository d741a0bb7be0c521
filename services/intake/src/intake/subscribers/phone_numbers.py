"""Telephone numbers in one spelling, as they are stored and searched.

A number that can be dialled from abroad is stored in E.164 (ITU-T), +8613800001111; judged by the numbering plans of
libphonenumber. What only the country itself can dial, as 95598 or a 400 number, stays as its digits. Events of a
switch do not come here: their numbers are compared in SQL (`same_number`), at a fraction of the time.
"""

from collections.abc import Iterable

import phonenumbers

from chassis.database import Database, Statements
from intake.reference.store import desk_rules
from intake.subscribers.domain import plain_phone


def one_spelling(phone: str, country_code: str) -> str:
    """E.164, or the digits where there is none: a service number, an extension, or no number at all."""
    try:
        number = phonenumbers.parse(phone, phonenumbers.region_code_for_country_code(int(country_code)))
    except phonenumbers.NumberParseException:
        return plain_phone(phone)
    is_public = phonenumbers.is_valid_number(number) and phonenumbers.can_be_internationally_dialled(number)
    if number.extension or not is_public:
        return plain_phone(phone)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def in_one_spelling(statements: Statements, phones: Iterable[str]) -> tuple[str, ...]:
    """By the country of the desk's rules; a number that is given twice is kept once."""
    country_code = (await desk_rules(statements)).country_code or ""
    return tuple(dict.fromkeys(one_spelling(phone, country_code) for phone in phones))


async def searched_number(database: Database, phone: str | None) -> str | None:
    """What a search for this number compares with; None where no number is searched for."""
    if not phone:
        return None
    async with database.statements() as statements:
        (number,) = await in_one_spelling(statements, [phone])
    return number
