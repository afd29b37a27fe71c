"""Processing: writes the reference of the mapping language from the function table, so that the two cannot differ.

python -m provisor.expressions.document > docs/reference/expressions.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from provisor.expressions.functions.all import GROUPS
from provisor.expressions.functions.numbers import MAX_RANDOM
from provisor.expressions.functions.table import Example, Function, Parameter
from provisor.expressions.parser import MAX_DEPTH, MAX_TEXT
from provisor.expressions.regex_machine import MAX_STEPS
from provisor.expressions.values import MAX_LENGTH

INTRODUCTION = f"""\
# The mapping language

<!-- Generated: python -m provisor.expressions.document > docs/reference/expressions.md -->

An attribute mapping of the type Expression holds one function, whose arguments may be functions again. What Entra ID
accepts is accepted here, and gives the same values. Every example on this page runs as a test.

```
Join(" ", [givenName], [surname])
Switch([IsSoftDeleted], , "False", "True", "True", "False")
IIF([country] = "USA", [state], "abroad")
```

## How it is written

| what | how |
| --- | --- |
| function | `Name(argument, argument)`; names are case-sensitive |
| attribute of the source | `[name]`; the name may hold dots, colons and a filter in brackets of its own |
| text | `"text"`; inside it `\\"` is a quote and `\\\\` a backslash; any other backslash is itself |
| number | `12`, `-3`, `&HF7`; functions take it in quotes too |
| condition | `a = b`, with `=` `<>` `>` `>=` `<` `<=`, as an argument |
| omitted argument | nothing between two commas: `Switch([a], , "k", "v")` |

White space and line breaks between these do not count. An expression has at most {MAX_TEXT:,} characters and
{MAX_DEPTH} functions inside each other. A value that a function yields has at most {MAX_LENGTH:,} characters.

Whatever can be known to be wrong when a mapping is saved is refused then, with the place:

```
Line 1, column 8: there is no function Jion. Did you mean Join?
  Append(Jion(" ", [givenName]), "")
         ^
```

## Values

A value is null (the attribute is absent), a text, a number, a boolean, or several of these. They stay what they are
until a function needs a text: a boolean is then `True` or `False`, and several values are an error unless the function
says otherwise. A null in a required argument makes the result null, unless the function says otherwise; a mapping
whose result is null sends nothing (on creation: its default value).
"""

DECISIONS: tuple[tuple[str, str, str], ...] = (
    (
        "Several values in a function of one text",
        "functions that say so work on each value; in the others it is an error",
        "a joined or first value would silently lose data",
    ),
    (
        "An absent attribute in a date function, Item, Split, ...",
        "null",
        "people without a leaving date are no errors; the mapping is passed over as for any null",
    ),
    (
        "An attribute without values (an empty list)",
        "counts as null",
        "the directory keeps no empty attributes, so the two cannot be told apart later",
    ),
    (
        "Join of nothing but null and empty sources",
        "null",
        'an empty `name.formatted` is refused by strict targets; "" would be flowed',
    ),
    ("Append with a null suffix", "the source", "only the source decides whether there is a value"),
    (
        "IIF with an empty attribute in its condition",
        'is evaluated: null equals ""; the order operators are False with null',
        'Entra\'s "check fails" is a limitation with a documented workaround, and its own Workday samples rely on this',
    ),
    (
        "= and <> between a number and a text",
        "numeric where one side is a number by type (written without quotes, or counted) and the other reads as one",
        '`[StatusRehire] = 1` must hold for "1", but `[employeeId] = "007"` not for "7"',
    ),
    (
        "> >= < <=",
        "numeric where both sides read as numbers, else by character",
        '"10" > "9" is what an administrator means',
    ),
    ("CBool of a text that is neither number nor True", "False", "documented: True for a non-zero result, else False"),
    (
        "Not, IsNull and the like",
        "give the texts True and False",
        "as in Entra; the target's type decides what is sent",
    ),
    ('Coalesce and ""', "an empty text is a value", "the documentation says null only"),
    (
        "IgnoreFlowIfNullOrEmpty inside another function",
        "the whole mapping is left out",
        "the documentation speaks of the attribute, not of the argument",
    ),
    (
        "Redact inside another function",
        "the log shows [Redact] for the whole mapping",
        "what is made of a secret must not show it",
    ),
    (
        "Split",
        "empty parts are left out",
        "documented results are trimmed; an empty value cannot be provisioned",
    ),
    (
        "Mid without length",
        "to the end of the text",
        "a documented sample calls it with two arguments",
    ),
    (
        "Contains",
        "the number of the first value that contains the text, case-sensitively, or 0",
        'its one documented sample finds "SMTP:" among proxy addresses, where case matters',
    ),
    ("InStr without compareType", "case counts (vbBinaryCompare)", "the default of Visual Basic"),
    ("RemoveDuplicates", "case counts", "dropping a value that differs would lose data"),
    (
        "ToLower, ToUpper",
        "one character for one (`ß` stays), I and ı by the rules of Turkish and Azeri where the culture says so",
        "that is what .NET does",
    ),
    (
        "PCase without separators",
        "an apostrophe separates words: St John'S",
        "the documentation counts all punctuation, and its Workday guide repairs 'S afterwards",
    ),
    (
        "SelectUniqueValue with a rule that gives null or an empty text",
        "the rule is passed over",
        "nobody can be found by it",
    ),
    ("Len", "characters of the text; null for null", "only its name is documented"),
    ("DefaultDomain", "the tenant's default domain name", "only its name is documented"),
    ("AppRoleAssignments", "the names of all roles", "only its signature is documented"),
    (
        "The role functions without any role",
        "complex ones give no values, the single one null",
        "so that the assertive one removes the target's last role",
    ),
    (
        "RandomString",
        f"all four minimums must fit in the length (1 to {MAX_RANDOM}); the rest is drawn from all classes",
        "the documentation counts three minimums, which could be impossible to meet",
    ),
    ("Dates without an offset", "are UTC", "all results are UTC"),
    ("A date with an offset in FormatDateTime", "becomes UTC before it is printed", "as in all date functions"),
    ("Two-digit years", "00 to 49 are 2000 to 2049", ".NET's present rule"),
    (
        "Parts that an input format lacks",
        "are those of 0001-01-01 00:00",
        "a value must not depend on the day of its evaluation",
    ),
    (
        "Regular expressions beyond the basic plane",
        "work on whole characters, not on UTF-16 halves",
        "half a character is never meant",
    ),
    (
        "`\\w`, `\\d`, `\\s` in regular expressions",
        "Python's Unicode classes, with combining marks counted to words",
        "they differ from .NET's in rare characters only (superscript digits, separators below U+0020)",
    ),
    (
        "A condition in the JSON form",
        "a Function named like its operator, with the parameters left and right",
        "Graph publishes no form for it; a reader that ignores parameters still has the text",
    ),
    (
        "Parameter keys of repeating parameters in the JSON form",
        "numbered: key1, value1, key2, ...",
        "Graph publishes none; only the text of a function counts when it is read",
    ),
)

REGEX = f"""\
## Regular expressions

Replace and the scoping filters take .NET's syntax: named groups `(?<name>...)` and `(?'name'...)`, `${{name}}`, `$1`,
`$&` in replacements, inline options `(?imnsx-imnsx)`, categories and blocks `\\p{{L}}`, `\\p{{IsCyrillic}}`, class
subtraction `[a-z-[aeiou]]`, atomic groups, look-ahead, look-behind of fixed length, back references. Refused when the
mapping is saved, with the place: balancing groups, conditional alternation, `\\G`, look-behind of variable length.

No pattern can hang a cycle. Where a bound on the steps is small, computed from the pattern and the length of the text,
Python's `re` does the work; else a matcher that looks at each place of the text at most once per part of the pattern,
and that gives up after {MAX_STEPS:,} steps with an error for that one object.

## Dates

Read by CDate, DateAdd, DateDiff and NumFromDate: ISO 8601 (`2020-03-16`, `2020-03-16-07:00`, `2009-06-15T01:45:30Z`),
`3/16/2020 7:00:00 AM`, `15 June 2009`, `Jun 15, 2009 8:45 PM`, `Mon, 15 Jun 2009 20:45:30 GMT`. Anything else is read
by FormatDateTime with a format of its own: `yyyy yy M MM MMM MMMM d dd ddd dddd H HH h hh m mm s ss f F t tt z zz zzz
K`, quoted texts, and .NET's one-letter standard formats.
"""


def document() -> str:
    """The page, in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield INTRODUCTION
    yield "## Functions\n"
    for title, entries in GROUPS.items():
        links = ", ".join(f"[{entry.name}](#{entry.name.lower()})" for entry in entries)
        yield f"* {title}: {links}"
    for title, entries in GROUPS.items():
        yield f"\n## {title}"
        for entry in entries:
            yield from _function(entry)
    yield f"\n{REGEX}"
    yield "## What the documentation leaves open\n"
    yield "| question | here | because |\n| --- | --- | --- |"
    for row in DECISIONS:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def _function(entry: Function) -> Iterator[str]:
    yield f"\n### {entry.name}\n"
    yield f"`{entry.signature}`\n"
    yield f"{entry.doc}\n"
    if entry.parameters:
        yield "| parameter | type | |\n| --- | --- | --- |"
        for parameter in entry.parameters:
            kind = parameter.type + (
                ", repeating" if parameter.repeating else "" if parameter.required else ", optional"
            )
            yield f"| {parameter.name} | {kind} | {_cell(parameter.doc)} |"
        yield ""
    yield "| example | with | gives |\n| --- | --- | --- |"
    for example in entry.examples:
        yield f"| {_code(example.text)} | {_given(example)} | {_result(example)} |"


def _often(parameter: Parameter) -> str:
    return ", repeating" if parameter.repeating else "" if parameter.required else ", optional"


def _given(example: Example) -> str:
    given = ", ".join(_code(f"{name}: {_json(value)}") for name, value in example.attributes.items())
    return ", ".join(part for part in (given, example.note) if part)


def _result(example: Example) -> str:
    if isinstance(example.result, type):
        return "an error"
    return "null" if example.result is None else _code(_json(example.result))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(document())
