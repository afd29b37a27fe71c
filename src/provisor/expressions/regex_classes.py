"""Processing: .NET's character classes as Python's. Each becomes the source of a Python pattern for one character.

.NET reference: "Character classes in regular expressions". Unicode categories and blocks are written out as ranges,
which are computed once, when a pattern first names one.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache

WORD = r"\w\u0300-\u036f"
"""``\\w``: .NET counts combining marks to words, Python does not."""

_BLOCKS = {
    "BasicLatin": (0x0000, 0x007F),
    "Latin-1Supplement": (0x0080, 0x00FF),
    "LatinExtended-A": (0x0100, 0x017F),
    "LatinExtended-B": (0x0180, 0x024F),
    "IPAExtensions": (0x0250, 0x02AF),
    "CombiningDiacriticalMarks": (0x0300, 0x036F),
    "Greek": (0x0370, 0x03FF),
    "GreekandCoptic": (0x0370, 0x03FF),
    "Cyrillic": (0x0400, 0x04FF),
    "Armenian": (0x0530, 0x058F),
    "Hebrew": (0x0590, 0x05FF),
    "Arabic": (0x0600, 0x06FF),
    "Devanagari": (0x0900, 0x097F),
    "Thai": (0x0E00, 0x0E7F),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7AF),
}
_CATEGORIES = frozenset(
    main + sub
    for main, subs in {
        "L": "ultmo",
        "M": "nce",
        "N": "dlo",
        "P": "cdseifo",
        "S": "mcko",
        "Z": "slp",
        "C": "cfson",
    }.items()
    for sub in ("", *subs)
)


def code(character: str | int) -> str:
    """A character, or its number, as it may stand in any class or pattern."""
    number = character if isinstance(character, int) else ord(character)
    if number < 128 and chr(number).isalnum():
        return chr(number)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def property_ranges(name: str) -> str | None:
    """What stands in a class for ``\\p{name}``: ranges; None where .NET's name is not known."""
    if name in _CATEGORIES:
        return _category_ranges(name)
    block = _BLOCKS.get(name.removeprefix("Is")) if name.startswith("Is") else None
    return f"{code(block[0])}-{code(block[1])}" if block else None


@lru_cache(maxsize=64)
def _category_ranges(name: str) -> str:
    ranges: list[str] = []
    start: int | None = None
    for number in range(sys.maxunicode + 2):
        inside = number <= sys.maxunicode and unicodedata.category(chr(number)).startswith(name)
        if inside and start is None:
            start = number
        elif not inside and start is not None:
            ranges.append(f"{code(start)}-{code(number - 1)}" if number - 1 > start else code(start))
            start = None
    return "".join(ranges)
