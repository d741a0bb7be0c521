"""A text in a CSV cell stays a text: spreadsheets take what begins like a formula for one, and run it.

After OWASP's "CSV Injection": = + - @, tab, carriage return and line feed. Also their full-width forms, which
spreadsheets in Chinese and Japanese read like the ASCII ones, and any of them behind spaces or invisible characters,
which some programs cut off before they look.
"""

import re
import unicodedata

_STARTS_A_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
_BLANK = re.compile(r"\s")
_BREAKS = frozenset("\t\r\n")


def csv_cell(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet could take it for a formula."""
    for character in text:
        if character in _STARTS_A_FORMULA or character in _BREAKS:
            return f"'{text}"
        if not _BLANK.match(character) and unicodedata.category(character) not in ("Cc", "Cf", "Zs"):
            return text
    return text
