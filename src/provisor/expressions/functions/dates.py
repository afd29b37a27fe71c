"""Processing: the date functions (reference entra-expressions.md §3.5). Results are UTC, as Entra writes dates."""

from __future__ import annotations

from provisor.expressions import dotnet_dates as dates
from provisor.expressions.dotnet_dates import DAY, HOUR, MINUTE, SECOND
from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Example, Function, Parameter, checked, strict, with_context
from provisor.expressions.values import Context, Value, shown, to_int, to_text

_INTERVALS = ("yyyy", "m", "d", "ww", "h", "n", "s")
_ELAPSED = {"d": DAY, "ww": 7 * DAY, "h": HOUR, "n": MINUTE, "s": SECOND}
_STYLES = frozenset(
    (
        "None",
        "AllowLeadingWhite",
        "AllowTrailingWhite",
        "AllowInnerWhite",
        "AllowWhiteSpaces",
        "NoCurrentDateDefault",
        "AdjustToUniversal",
        "AssumeLocal",
        "AssumeUniversal",
        "RoundtripKind",
    )
)


def _written(ticks: int) -> str:
    return dates.format_date(ticks, dates.GENERAL)


def _interval(text: str) -> str:
    if text not in _INTERVALS:
        raise EvaluationError(
            f"{shown(text)} is no interval.",
            hint="Write yyyy (years), m (months), ww (weeks), d (days), h (hours), n (minutes) or s (seconds).",
        )
    return text


def _now(context: Context) -> str:
    return _written(dates.in_range(context.now_ms() // 1000 * SECOND + dates.UNIX_EPOCH))


def _date_add(interval: Value, value: Value, moment: Value) -> str:
    unit, count = _interval(to_text(interval)), to_int(value, "value")
    ticks = dates.parse_date(to_text(moment))
    if unit in _ELAPSED:
        return _written(dates.in_range(ticks + count * _ELAPSED[unit]))
    return _written(dates.add_months(ticks, count * (12 if unit == "yyyy" else 1)))


def _truncated(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor) if dividend < 0 else dividend // divisor


def _date_diff(interval: Value, first: Value, second: Value) -> int:
    unit = _interval(to_text(interval))
    a, b = dates.parse_date(to_text(first)), dates.parse_date(to_text(second))
    if unit == "ww":
        return _truncated(_truncated(_week(b) - _week(a), DAY), 7)
    if unit in _ELAPSED:
        return _truncated(b - a, _ELAPSED[unit])
    years = [int(dates.format_date(ticks, "yyyy")) for ticks in (a, b)]
    if unit == "yyyy":
        return years[1] - years[0]
    months = [int(dates.format_date(ticks, "MM")) for ticks in (a, b)]
    return (years[1] - years[0]) * 12 + months[1] - months[0]


def _week(ticks: int) -> int:
    """The same time on the Sunday before (0001-01-01 was a Monday)."""
    return ticks - (ticks // DAY + 1) % 7 * DAY


def _styles(text: str) -> bool:
    """Whether white space around the date is allowed."""
    names = [name.strip() for name in text.replace("|", ",").split(",")]
    wrong = next((name for name in names if name not in _STYLES), None)
    if wrong is not None:
        raise EvaluationError(f"{shown(wrong)} is no date style.", hint="Leave the argument empty.")
    return any(name.startswith("Allow") for name in names)


def _format_date_time(source: Value, styles: Value, input_format: Value, output_format: Value) -> str:
    text = to_text(source)
    if styles is None or _styles(to_text(styles)):
        text = text.strip()
    return dates.format_date(dates.parse_exact(text, to_text(input_format)), to_text(output_format))


def _date_from_num(value: Value) -> str:
    return _written(dates.in_range(to_int(value, "value") + dates.FILETIME_EPOCH))


def _num_from_date(value: Value) -> int:
    return dates.parse_date(to_text(value)) - dates.FILETIME_EPOCH


_DATE = "A date; see the forms above."
_INTERVAL = Parameter("interval", doc="yyyy, m, ww, d, h, n (minutes) or s.")
_HIRED = {"hireDate": "2012-03-16-07:00"}

DATES: tuple[Function, ...] = (
    Function(
        "CDate",
        (Parameter("expression", doc=_DATE),),
        "The date as Entra writes it, in UTC. Fails for what is no date.",
        strict(lambda text: _written(dates.parse_date(to_text(text)))),
        (
            Example('CDate("2020-03-16-07:00")', "3/16/2020 7:00:00 AM"),
            Example('CDate("2021-06-30+08:00")', "6/29/2021 4:00:00 PM"),
            Example('CDate("2009-06-15T01:45:30-07:00")', "6/15/2009 8:45:30 AM"),
            Example('CDate("soon")', EvaluationError),
        ),
        returns="DateTime",
    ),
    Function(
        "DateAdd",
        (
            _INTERVAL,
            Parameter("value", type="Integer", doc="How many; may be negative."),
            Parameter("dateTime", doc=_DATE),
        ),
        "The date that much later. A day that a month lacks becomes its last one.",
        checked(strict(_date_add), 0, _interval),
        (
            Example('DateAdd("d", 7, CDate([hireDate]))', "3/23/2012 7:00:00 AM", _HIRED),
            Example('DateAdd("d", -10, CDate([hireDate]))', "3/6/2012 7:00:00 AM", _HIRED),
            Example('DateAdd("ww", 2, CDate([hireDate]))', "3/30/2012 7:00:00 AM", _HIRED),
            Example('DateAdd("m", 10, CDate([hireDate]))', "1/16/2013 7:00:00 AM", _HIRED),
            Example('DateAdd("yyyy", 2, CDate([hireDate]))', "3/16/2014 7:00:00 AM", _HIRED),
        ),
        returns="DateTime",
    ),
    Function(
        "DateDiff",
        (_INTERVAL, Parameter("date1", doc=_DATE), Parameter("date2", doc=_DATE)),
        "date2 - date1. Years, months and weeks (from Sunday) are counted by the calendar, the others as full units.",
        checked(strict(_date_diff), 0, _interval),
        (
            Example('DateDiff("d", CDate("2021-08-18+08:00"), CDate("2021-08-31+08:00"))', 13),
            Example('DateDiff("ww", "8/25/2021 5:41:18 PM", CDate([hireDate]))', -493, _HIRED),
            Example('DateDiff("n", CDate("2021-08-24"), CDate("2021-08-25"))', 1440),
        ),
        returns="Integer",
    ),
    Function(
        "DateFromNum",
        (Parameter("value", type="Integer", doc="Windows' FILETIME: units of 100 ns since 1601-01-01 UTC."),),
        "The date of a number.",
        strict(_date_from_num),
        (Example("DateFromNum(129699324000000000)", "1/1/2012 11:00:00 PM"),),
        returns="DateTime",
    ),
    Function(
        "FormatDateTime",
        (
            Parameter("source", doc="The date as a text; white space around it does not count."),
            Parameter("dateTimeStyles", required=False, doc=".NET's DateTimeStyles; leave it empty."),
            Parameter("inputFormat", doc=".NET's custom or standard format that the source is in."),
            Parameter("outputFormat", doc=".NET's custom or standard format of the result."),
        ),
        "The date in another format. With three arguments they are source, inputFormat and outputFormat.",
        checked(checked(checked(strict(_format_date_time), 1, _styles), 2, dates.tokens), 3, dates.tokens),
        (
            Example(
                'FormatDateTime([x], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")', "2015-01-23", {"x": "20150123105347.1Z"}
            ),
            Example('FormatDateTime([x], "dd.MM.yyyy", "MMMM d, yyyy")', "March 1, 2024", {"x": " 01.03.2024 "}),
        ),
        short=("source", "inputFormat", "outputFormat"),
    ),
    Function(
        "Now",
        (),
        "This moment, in UTC.",
        with_context(_now),
        (Example('DateDiff("s", Now(), Now())', 0),),
        returns="DateTime",
    ),
    Function(
        "NumFromDate",
        (Parameter("value", doc=_DATE),),
        "The FILETIME number of a date.",
        strict(_num_from_date),
        (
            Example('NumFromDate("2012-01-01T23:00:00Z")', 129699324000000000),
            Example(
                'NumFromDate(Join("", FormatDateTime([end], , "yyyy-MM-ddzzz", "yyyy-MM-dd"), " 23:59:59-08:00"))',
                132539615990000000,
                {"end": "2020-12-31-08:00"},
            ),
        ),
        returns="Integer",
    ),
)
