"""Dates: the reference's tables (entra-expressions.md §3.5), calendar edges, and .NET's formats both ways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.expressions import dotnet_dates as dates
from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.functions.dates import DATES

HIRED = {"h": "2012-03-16-07:00"}
DIFF = 'DateDiff("{}", CDate("8/25/2021 5:41:18 PM"), CDate("2012-03-16-07:00"))'

VECTORS: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "CDate": [
        ('CDate("2020-03-16-07:00")', "3/16/2020 7:00:00 AM", {}),
        ('CDate("2021-06-30+08:00")', "6/29/2021 4:00:00 PM", {}),
        ('CDate("2009-06-15T01:45:30-07:00")', "6/15/2009 8:45:30 AM", {}),
        ('CDate("2024-02-29")', "2/29/2024 12:00:00 AM", {}),
        ('CDate("2023-02-29")', EvaluationError, {}),
        ('CDate("6/15/2009 8:45:30 PM")', "6/15/2009 8:45:30 PM", {}),
        ('CDate("6/15/2009")', "6/15/2009 12:00:00 AM", {}),
        ('CDate("2009-06-15 20:45")', "6/15/2009 8:45:00 PM", {}),
        ('CDate("2009-06-15T20:45:30.1234567Z")', "6/15/2009 8:45:30 PM", {}),
        ('CDate("Mon, 15 Jun 2009 20:45:30 GMT")', "6/15/2009 8:45:30 PM", {}),
        ('CDate("15 June 2009")', "6/15/2009 12:00:00 AM", {}),
        ('CDate("Jun 15, 2009 8:45 PM")', "6/15/2009 8:45:00 PM", {}),
        ('CDate("2009/06/15")', "6/15/2009 12:00:00 AM", {}),
        ('CDate("12:30 AM")', EvaluationError, {}),
        ('CDate("2009-06-15T25:00")', EvaluationError, {}),
        ('CDate("0001-01-01+08:00")', EvaluationError, {}),  # before the first moment
        ("CDate([a])", None, {}),
        ("CDate([a])", EvaluationError, {"a": ""}),
    ],
    "Now": [
        ("Now()", "9/13/2020 12:26:40 PM", {}),
        ('DateDiff("s", "9/13/2020", Now())', 44800, {}),
        ('FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd")', "2020-09-13", {}),
        ('DateAdd("d", 1, Now())', "9/14/2020 12:26:40 PM", {}),
        ("Left(Now(), 4)", "9/13", {}),
    ],
    "DateAdd": [
        ('DateAdd("d", 7, CDate([h]))', "3/23/2012 7:00:00 AM", HIRED),
        ('DateAdd("d", -10, CDate([h]))', "3/6/2012 7:00:00 AM", HIRED),
        ('DateAdd("ww", 2, CDate([h]))', "3/30/2012 7:00:00 AM", HIRED),
        ('DateAdd("m", 10, CDate([h]))', "1/16/2013 7:00:00 AM", HIRED),
        ('DateAdd("yyyy", 2, CDate([h]))', "3/16/2014 7:00:00 AM", HIRED),
        ('DateAdd("m", 1, "2024-01-31")', "2/29/2024 12:00:00 AM", {}),
        ('DateAdd("m", -1, "2023-03-31")', "2/28/2023 12:00:00 AM", {}),
        ('DateAdd("yyyy", 1, "2024-02-29")', "2/28/2025 12:00:00 AM", {}),
        ('DateAdd("m", 11, "2023-01-31")', "12/31/2023 12:00:00 AM", {}),
        ('DateAdd("h", -1, "2024-01-01")', "12/31/2023 11:00:00 PM", {}),
        ('DateAdd("n", 90, "2024-01-01")', "1/1/2024 1:30:00 AM", {}),
        ('DateAdd("s", "59", "2024-01-01")', "1/1/2024 12:00:59 AM", {}),
        ('DateAdd("m", 1, "9999-11-30")', "12/30/9999 12:00:00 AM", {}),
        ('DateAdd("m", 1, "9999-12-31")', EvaluationError, {}),
        ('DateAdd("d", 1, "9999-12-31")', EvaluationError, {}),
        ('DateAdd("yyyy", -5000, "2024-01-01")', EvaluationError, {}),
        ('DateAdd("d", 1, [a])', None, {}),
        ('DateAdd([i], 1, "2024-01-01")', EvaluationError, {"i": "D"}),
    ],
    "DateDiff": [
        ('DateDiff("d", CDate("2021-08-18+08:00"), CDate("2021-08-31+08:00"))', 13, {}),
        (DIFF.format("d"), -3449, {}),
        (DIFF.format("ww"), -493, {}),
        (DIFF.format("m"), -113, {}),
        (DIFF.format("yyyy"), -9, {}),
        ('DateDiff("d", "2021-08-24", "2021-08-24")', 0, {}),
        ('DateDiff("h", CDate("2021-08-24"), CDate("2021-08-25"))', 24, {}),
        ('DateDiff("n", CDate("2021-08-24"), CDate("2021-08-25"))', 1440, {}),
        ('DateDiff("s", CDate("2021-08-24"), CDate("2021-08-25"))', 86400, {}),
        ('DateDiff("yyyy", "2023-12-31", "2024-01-01")', 1, {}),  # calendar years
        ('DateDiff("m", "2024-01-31", "2024-02-01")', 1, {}),
        ('DateDiff("d", "2024-01-01T23:00", "2024-01-02T01:00")', 0, {}),  # full days
        ('DateDiff("ww", "2024-01-06", "2024-01-07")', 1, {}),  # Saturday to Sunday
        ('DateDiff("ww", "2024-01-07", "2024-01-13")', 0, {}),
        ('DateDiff("d", [a], "2024-01-01")', None, {}),
    ],
    "FormatDateTime": [
        ('FormatDateTime([x], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")', "2015-01-23", {"x": "20150123105347.1Z"}),
        ('FormatDateTime([x], "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")', "2015-01-23", {"x": "20150123105347.1Z"}),
        ('FormatDateTime([x], , "yyyy-MM-ddzzz", "yyyy-MM-dd")', "2020-12-31", {"x": "2020-12-31-08:00"}),
        ('FormatDateTime([x], , "yyyy-MM-ddzzz", "yyyy-MM-dd")', "2021-06-29", {"x": "2021-06-30+08:00"}),
        ('FormatDateTime(" 01.02.2024 ", , "dd.MM.yyyy", "d")', "02/01/2024", {}),
        ('FormatDateTime(" 01.02.2024 ", "None", "dd.MM.yyyy", "d")', EvaluationError, {}),
        ('FormatDateTime("31.02.2024", , "dd.MM.yyyy", "d")', EvaluationError, {}),
        ('FormatDateTime("2024-1-2", , "yyyy-MM-dd", "d")', EvaluationError, {}),
        ('FormatDateTime("11:30 pm", , "hh:mm tt", "HH:mm")', "23:30", {}),
        ('FormatDateTime("12:05 AM", , "h:mm tt", "HHmm")', "0005", {}),
        ('FormatDateTime("49/05", , "yy/MM", "yyyy")', "2049", {}),
        ('FormatDateTime("50-01", , "yy-MM", "yyyy")', "1950", {}),
        ('FormatDateTime([x], , "dddd, d MMMM yyyy", "ddd d MMM yy")', "Mon 15 Jun 09", {"x": "Monday, 15 June 2009"}),
        ('FormatDateTime("2009-06-15T20:45:30", , "s", "o")', "2009-06-15T20:45:30.0000000Z", {}),
        ('FormatDateTime("2009-06-15", , "yyyy-MM-dd", "\'day\' d \\\\d")', "day 15 d", {}),
        ('FormatDateTime([x], , "yyyy", "yyyy")', None, {}),
    ],
    "DateFromNum": [
        ("DateFromNum(129699324000000000)", "1/1/2012 11:00:00 PM", {}),
        ("DateFromNum(0)", "1/1/1601 12:00:00 AM", {}),
        ('DateFromNum("129699324000000000")', "1/1/2012 11:00:00 PM", {}),
        ("DateFromNum([a])", None, {}),
        ("DateFromNum([a])", EvaluationError, {"a": 9223372036854775807}),
        ("DateFromNum([a])", EvaluationError, {"a": "soon"}),
    ],
    "NumFromDate": [
        ('NumFromDate("2012-01-01T23:00:00Z")', 129699324000000000, {}),
        (
            'NumFromDate(Join("", FormatDateTime([e], ,"yyyy-MM-ddzzz","yyyy-MM-dd"), " 23:59:59-08:00"))',
            132539615990000000,
            {"e": "2020-12-31-08:00"},
        ),
        ('NumFromDate("1601-01-01")', 0, {}),
        ('NumFromDate("1601-01-01T00:00:00.0000001Z")', 1, {}),
        ("NumFromDate([a])", None, {}),
        ('NumFromDate("never")', EvaluationError, {}),
    ],
}
CASES = [case for cases in VECTORS.values() for case in cases]


@pytest.mark.parametrize(("text", "expected", "attributes"), CASES)
def test_a_date_function_gives_the_documented_value(
    text: str, expected: Any, attributes: dict[str, Any], evaluate: Callable[..., Any]
) -> None:
    if expected is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(text, attributes)
    else:
        assert evaluate(text, attributes) == expected


def test_every_date_function_has_vectors() -> None:
    assert set(VECTORS) == {entry.name for entry in DATES}
    assert min(len(cases) for cases in VECTORS.values()) >= 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('DateAdd("w", 1, [x])', '"w" is no interval. Write yyyy (years)'),
        ('DateDiff("days", [x], [y])', '"days" is no interval'),
        ('FormatDateTime([x], , "q", "yyyy")', '"q" is no date format'),
        ('FormatDateTime([x], , "yyyy", "")', "the date format is empty"),
        ('FormatDateTime([x], , "yyyy", "\'open")', "a quote that is never closed"),
        ('FormatDateTime([x], "Loose", "yyyy", "yyyy")', '"Loose" is no date style'),
        ('FormatDateTime([x], , "yyyy")', "FormatDateTime needs"),
        ('FormatDateTime([x], , "ffffffff", "yyyy")', "too many 'f'"),
    ],
)
def test_formats_and_intervals_are_refused_when_the_mapping_is_saved(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("yyyy-MM-dd HH:mm:ss.fffffff", "2009-06-05 07:04:09.0120000"),
        ("y M d H h m s", "9 6 5 7 7 4 9"),
        ("yyyyy yyy yy", "02009 2009 09"),
        ("FFF f FF.FFF", "012 0 01.012"),
        ("tt t", "AM A"),
        ("z zz zzz K", "+0 +00 +00:00 Z"),
        ("dddd ddd MMMM MMM", "Friday Fri June Jun"),
        ("%d", "5"),
        ("g", "06/05/2009 07:04"),
        ("R", "Fri, 05 Jun 2009 07:04:09 GMT"),
        ("u", "2009-06-05 07:04:09Z"),
        ("yyyy'-'\"T\"", "2009-T"),
    ],
)
def test_a_moment_is_printed_as_dotnet_prints_it(format_: str, text: str) -> None:
    moment = dates.parse_date("2009-06-05T07:04:09.012Z")
    assert dates.format_date(moment, format_) == text


def test_a_format_of_many_fields_is_read_without_backtracking() -> None:
    with pytest.raises(EvaluationError, match="is no date of the format"):
        dates.parse_exact("1" * 400, "dM" * 150 + "x")


def test_a_fraction_of_zero_takes_its_point_along() -> None:
    assert dates.format_date(dates.parse_date("2009-06-05"), "ss.FFF") == "00"
    assert dates.parse_exact("00:00:07", "HH:mm:ss.FFF") == 7 * dates.SECOND


MOMENTS = st.datetimes(min_value=datetime(1601, 1, 1), max_value=datetime(9990, 1, 1))  # noqa: DTZ001 - hypothesis wants them naive


@given(MOMENTS)
def test_what_is_printed_is_read_back(moment: datetime) -> None:
    ticks = dates.parse_date(moment.isoformat())
    for format_ in (
        "o",
        "yyyyMMddHHmmssfffffff",
        "dddd, dd MMMM yyyy hh:mm:ss.fffffff tt",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFzzz",
    ):
        assert dates.parse_exact(dates.format_date(ticks, format_), format_) == ticks
    general = dates.format_date(ticks, dates.GENERAL)
    assert dates.parse_date(general) == ticks - ticks % dates.SECOND


@given(MOMENTS, st.integers(-720, 720))
def test_an_offset_is_taken_away(moment: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    written = f"{moment.isoformat(sep=' ')}{sign}{hours:02d}:{rest:02d}"
    as_utc = moment.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    assert dates.parse_date(written) == dates.parse_date(as_utc.replace(tzinfo=None).isoformat())


@given(MOMENTS, st.integers(-5000, 5000))
def test_adding_months_keeps_the_day_or_takes_the_last_one(moment: datetime, months: int) -> None:
    ticks = dates.parse_date(moment.isoformat())
    try:
        later = dates.add_months(ticks, months)
    except EvaluationError:
        return
    before, after = (dates.format_date(t, "yyyy MM dd").split() for t in (ticks, later))
    index = (int(after[0]) - int(before[0])) * 12 + int(after[1]) - int(before[1])
    assert index == months
    next_day = dates.format_date(later + dates.DAY, "dd") if later + dates.DAY < dates.END else "01"
    assert after[2] == before[2] or (int(after[2]) < int(before[2]) and next_day == "01")
