"""One spelling for texts that are compared: what looks the same and is typed differently is stored and searched alike.

By Unicode's NFKC (UAX #15) full-width digits become ASCII, and characters without a width (UAX #44, category Cf and
the default ignorable fillers, selectors and code points that are not assigned yet) are left out. Chinese compatibility
ideographs (U+F900 to U+FAFF, U+2F800 to U+2FA1F) stay in names: any normalisation, NFC too, would put another
character into a person's name for good.
"""

import re
import unicodedata

_IDEOGRAPHS = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f]+)")
_FORMAT = "".join(chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf")
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
_UNASSIGNED = "\U000e0000-\U000e0fff"
_INVISIBLE = re.compile(f"[{_FORMAT}{_FILLERS}{_UNASSIGNED}]")
# Emoji and some scripts need joiners and selectors; nothing that is written needs these.
_MISLEADING = re.compile("[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
# The Braille cell without a dot looks like a space.
_SPACES = re.compile(r"(?:[^\S\n\t]|\u2800)+")


def plain_reference(text: str) -> str:
    """A number, an id or another reference: NFKC, nothing invisible, single spaces, none around it."""
    before = text if text.isascii() else None  # none of these is invisible, or another character by NFKC
    while text != before:  # what is left out may bring two characters together that are one
        before = text
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _SPACES.sub(" ", text).strip()


def plain_name(text: str) -> str:
    """A person's name or address: as a reference, but each Chinese character stays the one that was typed."""
    parts = _IDEOGRAPHS.split(_INVISIBLE.sub("", text))
    joined = "".join(part if place % 2 else plain_reference(f"|{part}|")[1:-1] for place, part in enumerate(parts))
    return _SPACES.sub(" ", joined).strip()


def plain_line(text: str) -> str:
    """A title or label: its typography stays, full-width brackets too; without characters that mislead the eye."""
    return _SPACES.sub(" ", _MISLEADING.sub("", text)).strip()


def plain_prose(text: str) -> str:
    """Free text: line breaks and emoji stay; without characters that reverse the text or hide in it."""
    return _MISLEADING.sub("", text).strip()
