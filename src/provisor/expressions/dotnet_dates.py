"""Processing: dates as .NET reads and prints them, in the invariant culture.

A moment is a whole number of ticks (100 ns) since 0001-01-01 00:00 UTC, .NET's own measure; whatever is read becomes
UTC, and what names no offset is UTC already. .NET reference: "Custom date and time format strings".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from provisor.expressions.errors import EvaluationError
from provisor.expressions.values import shown

SECOND = 10_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
END = date.max.toordinal() * DAY
"""The first moment past the last one: 10000-01-01."""
UNIX_EPOCH = (date(1970, 1, 1).toordinal() - 1) * DAY
FILETIME_EPOCH = (date(1601, 1, 1).toordinal() - 1) * DAY
GENERAL = "M/d/yyyy h:mm:ss tt"
"""How Entra writes a date."""

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STANDARD = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
_LONGEST = {"d": 4, "M": 4, "y": 5, "H": 2, "h": 2, "m": 2, "s": 2, "f": 7, "F": 7, "t": 2, "z": 3, "K": 1, "g": 2}
_TWO_DIGIT_YEAR_MAX = 2049


@dataclass(frozen=True, slots=True)
class _Token:
    """A specifier with its length, or (letter "") a literal."""

    letter: str
    count: int
    literal: str = ""


@lru_cache(maxsize=256)
def tokens(format_: str) -> tuple[_Token, ...]:
    """The parts of a format string. Raises `EvaluationError`."""
    if len(format_) == 1:
        if format_ not in _STANDARD:
            raise EvaluationError(f"{shown(format_)} is no date format.", hint='Write one such as "yyyy-MM-dd".')
        format_ = _STANDARD[format_]
    if not format_:
        raise EvaluationError("the date format is empty.", hint='Write one such as "yyyy-MM-dd".')
    parts: list[_Token] = []
    at = 0
    while at < len(format_):
        token, at = _token(format_, at)
        parts.append(token)
    return tuple(parts)


def _token(format_: str, at: int) -> tuple[_Token, int]:
    character = format_[at]
    if character == "%" and format_[at + 1 : at + 2] not in ("", "%"):
        return _token(format_, at + 1)
    if character in "'\"":
        end = format_.find(character, at + 1)
        if end < 0:
            raise EvaluationError(f"the date format {shown(format_)} has a quote that is never closed.")
        return _Token("", 0, format_[at + 1 : end]), end + 1
    if character == "\\":
        if at + 1 == len(format_):
            raise EvaluationError(f"the date format {shown(format_)} ends with a backslash.")
        return _Token("", 0, format_[at + 1]), at + 2
    longest = _LONGEST.get(character)
    if longest is None:
        return _Token("", 0, character), at + 1
    end = at
    while end < len(format_) and format_[end] == character:
        end += 1
    count = end - at
    if count > longest and character in "fFyK":
        raise EvaluationError(f"the date format {shown(format_)} has too many '{character}'.")
    return _Token(character, min(count, longest)), end


# --- printing


def format_date(ticks: int, format_: str) -> str:
    """A moment in a .NET format. Raises `EvaluationError` for a format that is none."""
    days, time = divmod(ticks, DAY)
    day = date.fromordinal(days + 1)
    parts: list[str] = []
    for token in tokens(format_):
        if token.letter == "F" and not (fraction := _fraction(time, token.count).rstrip("0")):
            if parts and parts[-1] == ".":
                parts.pop()
            continue
        parts.append(fraction if token.letter == "F" else _printed(token, day, time))
    return "".join(parts)


def _fraction(time: int, count: int) -> str:
    return f"{time % SECOND:07d}"[:count]


def _printed(token: _Token, day: date, time: int) -> str:
    count = token.count
    hour = time // HOUR
    match token.letter:
        case "":
            return token.literal
        case "d" if count > 2:
            name = _DAYS[day.weekday()]
            return name[:3] if count == 3 else name
        case "M" if count > 2:
            name = _MONTHS[day.month - 1]
            return name[:3] if count == 3 else name
        case "y":
            return f"{day.year % 100:0{count}d}" if count < 3 else f"{day.year:0{count}d}"
        case "f":
            return _fraction(time, count)
        case "t":
            return ("PM" if hour >= 12 else "AM")[:count]
        case "z":
            return "+0" if count == 1 else "+00" if count == 2 else "+00:00"
        case "K":
            return "Z"
        case "g":
            return "A.D."
        case letter:
            number = {
                "d": day.day,
                "M": day.month,
                "H": hour,
                "h": hour % 12 or 12,
                "m": time // MINUTE % 60,
                "s": time // SECOND % 60,
            }[letter]
            return f"{number:0{count}d}"


# --- reading

_SHORT = {1: "[0-9]{1,2}", 2: "[0-9]{2}"}
_YEAR = {1: "[0-9]{1,2}", 2: "[0-9]{2}", 3: "[0-9]{3,4}", 4: "[0-9]{4}", 5: "[0-9]{5}"}
_OFFSET = {1: "[+-][0-9]{1,2}", 2: "[+-][0-9]{2}", 3: "[+-][0-9]{2}:[0-9]{2}"}


@lru_cache(maxsize=256)
def _reader(format_: str) -> re.Pattern[str]:
    pattern = ""
    for token in tokens(format_):
        if token.letter == "F" and pattern.endswith("\\."):
            pattern = f"{pattern[:-2]}(?:\\.{_field(token, pattern)})?+"
        else:
            pattern += _field(token, pattern)
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _field(token: _Token, before: str) -> str:
    name, count = token.letter, token.count
    if not name:
        return re.escape(token.literal)
    if name in "dM" and count > 2:
        names = [full[:3] if count == 3 else full for full in (_DAYS if name == "d" else _MONTHS)]
        source, name = "|".join(names), name + "name"
    elif name in "fF":
        source, name = (f"[0-9]{{{'0,' * (name == 'F')}{count}}}"), "f"
    elif name == "z":
        source = _OFFSET[count]
    elif name == "K":
        source, name = "Z|[+-][0-9]{2}:[0-9]{2}|", "z"
    elif name == "t":
        source = "[AP]" if count == 1 else "AM|PM"
    elif name == "g":
        return r"(?:A\.D\.|AD)"
    else:
        source = _YEAR[count] if name == "y" else _SHORT[count]
    # A field that is there twice (a day as number, and as name) is read once and passed over the second time
    # Atomic, as .NET takes what it can and never gives back: a format of many fields cannot make the search explode
    return f"(?>{source})" if f"?P<{name}>" in before else f"(?P<{name}>(?>{source}))"


def parse_exact(text: str, format_: str) -> int:
    """The moment that ``text`` names in this .NET format. Parts that the format lacks are those of 0001-01-01 00:00.

    Raises `EvaluationError`.
    """
    match = _reader(format_).fullmatch(text)
    if match is None:
        raise EvaluationError(f"{shown(text)} is no date of the format {shown(format_)}.")
    return _moment(match.groupdict(), text, two_digit_years="y" in match.groupdict() and len(match["y"]) < 3)


_TIME = (
    r"(?P<H>[0-9]{1,2}):(?P<m>[0-9]{1,2})(?::(?P<s>[0-9]{1,2})(?:[.,](?P<f>[0-9]{1,7})[0-9]*)?)?"
    r"(?:\s*(?P<t>AM|PM|A|P))?"
)
_TAIL = rf"(?:(?:T|,?\s+){_TIME})?\s*(?P<z>Z|GMT|UTC|[+-][0-9]{{2}}:?[0-9]{{2}})?"
_WEEKDAY = rf"(?:(?:{'|'.join(_DAYS)}|{'|'.join(name[:3] for name in _DAYS)}),?\s+)?"
_MONTH_NAME = rf"(?P<Mname>{'|'.join(_MONTHS)}|{'|'.join(name[:3] for name in _MONTHS)})\.?"
_FORMS = tuple(
    re.compile(rf"\s*{form}{_TAIL}\s*", re.IGNORECASE | re.ASCII)
    for form in (
        r"(?P<y>[0-9]{4})(?P<mark>[-/])(?P<M>[0-9]{1,2})(?P=mark)(?P<d>[0-9]{1,2})",
        r"(?P<M>[0-9]{1,2})(?P<mark>[-/])(?P<d>[0-9]{1,2})(?P=mark)(?P<y>[0-9]{4})",
        rf"{_WEEKDAY}(?P<d>[0-9]{{1,2}})(?:\s+|-){_MONTH_NAME}(?:,?\s+|-)(?P<y>[0-9]{{4}})",
        rf"{_WEEKDAY}{_MONTH_NAME}\s+(?P<d>[0-9]{{1,2}}),?\s+(?P<y>[0-9]{{4}})",
    )
)


def parse_date(text: str) -> int:
    """The moment that ``text`` names in one of the forms that .NET's invariant culture reads.

    ISO 8601 (also a date with an offset), ``M/d/yyyy h:mm:ss tt``, and dates with the month's English name. Raises
    `EvaluationError`.
    """
    if len(text) <= 100:
        for form in _FORMS:
            if match := form.fullmatch(text):
                return _moment(match.groupdict(), text)
    raise EvaluationError(
        f"{shown(text)} is no date.", hint='Read it with FormatDateTime and its own format, such as "dd.MM.yyyy".'
    )


def _moment(fields: Mapping[str, str | None], text: str, *, two_digit_years: bool = False) -> int:
    year = int(fields.get("y") or 1)
    if two_digit_years:
        year += 1900 if 1900 + year > _TWO_DIGIT_YEAR_MAX - 100 else 2000
    named = fields.get("Mname")
    month = _month(named) if named else int(fields.get("M") or 1)
    hour = _hour(fields)
    minute, second = int(fields.get("m") or 0), int(fields.get("s") or 0)
    fraction = int((fields.get("f") or "").ljust(7, "0"))
    try:
        days = date(year, month, int(fields.get("d") or 1)).toordinal() - 1
    except ValueError:
        raise EvaluationError(f"{shown(text)} names a day that does not exist.") from None
    if hour > 23 or minute > 59 or second > 59:
        raise EvaluationError(f"{shown(text)} names a time that does not exist.")
    local = days * DAY + hour * HOUR + minute * MINUTE + second * SECOND + fraction
    return in_range(local - _offset(fields.get("z")))


def _month(name: str) -> int:
    return [month[:3].lower() for month in _MONTHS].index(name[:3].lower()) + 1


def _hour(fields: Mapping[str, str | None]) -> int:
    hour = int(fields.get("H") or fields.get("h") or 0)
    half = (fields.get("t") or "").upper()[:1]
    if half and 1 <= hour <= 12:
        return hour % 12 + (12 if half == "P" else 0)
    return hour


def _offset(zone: str | None) -> int:
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits[:2]), int(digits[2:])) if len(digits) > 2 else (int(digits), 0)
    return (-1 if zone[0] == "-" else 1) * (hours * HOUR + minutes * MINUTE)


def in_range(ticks: int) -> int:
    """The moment, if it lies between the years 1 and 9999. Raises `EvaluationError`."""
    if not 0 <= ticks < END:
        raise EvaluationError("the date lies outside the years 1 to 9999.")
    return ticks


def add_months(ticks: int, months: int) -> int:
    """The same day that many months later; where that month is shorter, its last day (as .NET's AddMonths)."""
    days, time = divmod(ticks, DAY)
    day = date.fromordinal(days + 1)
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        return in_range(-1)
    last = (date(year + month // 11, (month + 1) % 12 + 1, 1).toordinal() - 1) if index < 9999 * 12 + 11 else END // DAY
    first = date(year, month + 1, 1).toordinal()
    return (min(first + day.day - 1, last) - 1) * DAY + time
