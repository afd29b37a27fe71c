"""Processing: the text functions (reference entra-expressions.md §3.1), but Replace."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Call, Example, Function, Parameter, checked, strict
from provisor.expressions.values import (
    MAX_LENGTH,
    Context,
    Evaluator,
    Get,
    Value,
    bounded,
    shown,
    to_int,
    to_text,
    to_texts,
    too_long,
)


def _append(source: Value, suffix: Value) -> str:
    return bounded(to_text(source) + to_text(suffix))


def build_join(call: Call) -> Evaluator:
    """Texts are taken as they are; everything else goes the long way round."""
    separator = call.constant(0)
    separate = call.arguments[0]
    sources = [source for source in call.repeats() if source is not None]

    def evaluate(get: Get, context: Context) -> Value:
        parts: list[str] = []
        for source in sources:
            value = source(get, context)
            if type(value) is str:
                if value:
                    parts.append(value)
            elif value is not None:
                parts += [text for text in to_texts(value) if text]
        if not parts:
            return None
        between = separator if separator is not None else to_text(separate(get, context)) if separate else ""
        length = sum(map(len, parts)) + len(between) * (len(parts) - 1)
        if length > MAX_LENGTH:
            too_long(length)
        return between.join(parts)

    return evaluate


def _left(text: Value, count: Value) -> str:
    source, number = to_text(text), to_int(count, "numChars")
    return source if number < 0 else source[:number]


def _mid(source: Value, start: Value, length: Value) -> str:
    text, first = to_text(source), to_int(start, "start")
    count = len(text) if length is None else to_int(length, "length")
    if first < 1:
        raise EvaluationError(f"start is {first}; the first character is number 1.")
    if count < 0:
        raise EvaluationError(f"length is {count}; it cannot be negative.")
    return text[first - 1 : first - 1 + count]


_CULTURE = re.compile(r"(|[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)", re.ASCII)
# .NET's invariant culture leaves these alone: dotted İ, dotless ı, long s
_UNCASED = frozenset("\u0130\u0131\u017f")


@lru_cache(maxsize=256)
def _turkic(culture: str) -> bool:
    if not _CULTURE.fullmatch(culture):
        raise EvaluationError(f"{shown(culture)} is no culture name.", hint='Write one such as "tr-TR" or "en-US".')
    return culture.lower().split("-")[0] in ("tr", "az", "tur", "aze")


def lower(text: str) -> str:
    """Invariant lower case, one character for one, as .NET does it."""
    if text.isascii():
        return text.lower()
    return "".join([_one(character, character.lower()) for character in text])


def upper(text: str) -> str:
    """Invariant upper case, one character for one: ``ß`` stays."""
    if text.isascii():
        return text.upper()
    return "".join([_one(character, character.upper()) for character in text])


def _one(character: str, cased: str) -> str:
    return cased if len(cased) == 1 and character not in _UNCASED else character


def _to_lower(source: Value, culture: Value) -> str:
    text = to_text(source)
    if culture is not None and _turkic(to_text(culture)):
        text = text.replace("I", "ı").replace("İ", "i")
    return lower(text)


def _to_upper(source: Value, culture: Value) -> str:
    text = to_text(source)
    if culture is not None and _turkic(to_text(culture)):
        text = text.replace("i", "İ").replace("ı", "I")
    return upper(text)


_SEPARATORS = frozenset(
    ("Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So")
)


def _pcase(source: Value, separators: Value) -> str:
    own = None if separators is None else to_text(separators)
    parts: list[str] = []
    begins = True
    for character in lower(to_text(source)):
        if character in own if own is not None else unicodedata.category(character) in _SEPARATORS:
            begins = True
        elif begins and character.isalpha():
            character = _one(character, character.title())
            begins = False
        parts.append(character)
    return "".join(parts)


_LIGATURES = str.maketrans(
    {
        "æ": "ae",
        "Æ": "AE",
        "ø": "oe",
        "Ø": "OE",
        "œ": "oe",
        "Œ": "OE",
        "ß": "ss",
        "ẞ": "SS",
        "ı": "i",
        "ł": "l",
        "Ł": "L",
    }
)


def _normalize_diacritics(source: Value) -> str:
    text = to_text(source)
    if text.isascii():
        return text
    bare = "".join([c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f"])
    # Composed again, so that what is not an accent (Hangul syllables) comes out as it went in
    return bounded(unicodedata.normalize("NFC", bare).translate(_LIGATURES))


def _split(source: Value, delimiter: Value) -> list[Value]:
    mark = to_text(delimiter)
    if not mark:
        raise EvaluationError("the delimiter is empty.", hint='Name the character between the values, such as ",".')
    return [part for text in to_texts(source) for part in _parts(text, mark)]


def _parts(text: str, mark: str) -> list[Value]:
    return [stripped for part in text.split(mark) if (stripped := part.strip())]


def _word(text: Value, number: Value, delimiters: Value) -> str:
    wanted, marks = to_int(number, "wordNumber"), to_text(delimiters)
    if wanted < 1:
        return ""
    seen, word = 0, ""
    for character in to_text(text):
        if character not in marks:
            word += character
        elif word:
            seen += 1
            if seen == wanted:
                return word
            word = ""
    return word if word and seen + 1 == wanted else ""


def _in_str(text: Value, wanted: Value, start: Value, compare: Value) -> int:
    source, part = to_text(text), to_text(wanted)
    first = 1 if start is None else to_int(start, "start")
    if first < 1:
        raise EvaluationError(f"start is {first}; the first character is number 1.")
    if compare is not None and _compares_text(to_text(compare)):
        source, part = lower(source), lower(part)
    return source.find(part, first - 1) + 1


def _compares_text(compare: str) -> bool:
    if compare not in _COMPARES:
        raise EvaluationError(f"{shown(compare)} is no way to compare.", hint="Write vbBinaryCompare or vbTextCompare.")
    return compare in ("vbTextCompare", "1")


_COMPARES = ("vbBinaryCompare", "vbTextCompare", "0", "1")


def _contains(values: Value, wanted: Value) -> int:
    part = to_text(wanted)
    for index, text in enumerate(to_texts(values), start=1):
        if part in text:
            return index
    return 0


def _redact(value: Value) -> Value:
    return value


_SOURCE = Parameter("source", doc="A text; of a multi-valued attribute, each value by itself.")
_CULTURE_PARAMETER = Parameter("culture", required=False, doc='Such as "tr-TR"; without it the invariant culture.')

TEXT: tuple[Function, ...] = (
    Function(
        "Append",
        (_SOURCE, Parameter("suffix", nullable=True, doc="What is put behind it; null is nothing.")),
        "The source with the suffix behind it.",
        strict(_append, each=True),
        (
            Example('Append([upn], ".test")', "John.Doe@contoso.com.test", {"upn": "John.Doe@contoso.com"}),
            Example(
                "Append(Mid([givenName], 1, 3), Mid([surname], 1, 5))",
                "JohDoe",
                {"givenName": "John", "surname": "Doe"},
            ),
            Example('Append("Company name: \\"Contoso\\"", "")', 'Company name: "Contoso"'),
        ),
    ),
    Function(
        "Contains",
        (
            Parameter("attribute", nullable=True, doc="A multi-valued attribute."),
            Parameter("search", doc="The text to look for."),
        ),
        "The number of the first value that contains the text, counted from 1; 0 where none does. Case-sensitive.",
        strict(_contains, when_null=0),
        (
            Example(
                'Mid(Item([proxyAddresses], Contains([proxyAddresses], "SMTP:")), 6)',
                "jo@contoso.com",
                {"proxyAddresses": ["smtp:old@contoso.com", "SMTP:jo@contoso.com"]},
                note="the primary address",
            ),
        ),
        returns="Integer",
    ),
    Function(
        "InStr",
        (
            Parameter("value1", doc="The text to search."),
            Parameter("value2", doc="The text to look for."),
            Parameter("start", required=False, type="Integer", doc="Where to begin, counted from 1."),
            Parameter(
                "compareType",
                required=False,
                words=("vbBinaryCompare", "vbTextCompare"),
                doc="vbBinaryCompare (the default): case counts; vbTextCompare: it does not.",
            ),
        ),
        "Where the second text begins in the first, counted from 1; 0 where it does not occur.",
        checked(strict(_in_str), 3, _compares_text),
        (
            Example('InStr("The quick brown fox", "quick")', 5),
            Example('InStr("repEated", "e", 3, vbBinaryCompare)', 7),
            Example('InStr("repEated", "e", 3, vbTextCompare)', 4),
        ),
        returns="Integer",
    ),
    Function(
        "Join",
        (
            Parameter("separator", doc='What stands between the texts; may be "".'),
            Parameter("source", repeating=True, nullable=True, doc="A text, or several values."),
        ),
        "The sources, with the separator between them. Every value of a multi-valued source counts; null and empty "
        "ones are passed over, with their separator. With nothing left, the result is null.",
        build_join,
        (
            Example('Join(" ", [givenName], [surname])', "John Doe", {"givenName": "John", "surname": "Doe"}),
            Example('Join(", ", "", [surname], [givenName])', "Doe, John", {"givenName": "John", "surname": "Doe"}),
            Example('Join("@", "a", "contoso.com")', "a@contoso.com"),
            Example('Join(";", [otherMails])', "a@x.com;b@x.com", {"otherMails": ["a@x.com", "b@x.com"]}),
        ),
    ),
    Function(
        "Left",
        (Parameter("string", nullable=True), Parameter("numChars", type="Integer", doc="How many characters.")),
        'That many characters from the left. Fewer than 0: the whole text. A null text gives "".',
        strict(_left, when_null=""),
        (
            Example('Left("John Doe", 3)', "Joh"),
            Example('Left("John Doe", -1)', "John Doe"),
            Example("Left([a], 3)", ""),
        ),
    ),
    Function(
        "Len",
        (Parameter("source"),),
        "How many characters the text has.",
        strict(lambda source: len(to_text(source))),
        (Example('Len("Zoë")', 3), Example("Len([mail])", None)),
        returns="Integer",
    ),
    Function(
        "Mid",
        (
            _SOURCE,
            Parameter("start", type="Integer", doc="The first character, counted from 1."),
            Parameter("length", required=False, type="Integer", doc="How many; without it, all to the end."),
        ),
        "A part of the text. What lies past its end is left out.",
        strict(_mid, each=True),
        (
            Example('Mid("Johnathan", 1, 3)', "Joh"),
            Example('Mid("Johnathan", "4", "99")', "nathan"),
            Example('Mid("Jo", 5, 1)', ""),
        ),
    ),
    Function(
        "NormalizeDiacritics",
        (_SOURCE,),
        "The text with accented letters replaced by their base letters; æ, ø, œ, ß, ı, ł and their capitals too.",
        strict(_normalize_diacritics, each=True),
        (
            Example('NormalizeDiacritics("Zoë")', "Zoe"),
            Example('NormalizeDiacritics("Jéssica")', "Jessica"),
            Example('NormalizeDiacritics("Søren Großmann")', "Soeren Grossmann"),
        ),
    ),
    Function(
        "PCase",
        (
            _SOURCE,
            Parameter(
                "wordSeparators", required=False, doc="The characters between words; without it spaces, marks, symbols."
            ),
        ),
        "The first letter of every word in upper case, all others in lower case.",
        strict(_pcase, each=True),
        (
            Example("PCase([firstName])", "Pablo Gonsalves (Second)", {"firstName": "PABLO GONSALVES (SECOND)"}),
            Example('PCase([lastName], " \'-")', "Pinto-De'Silva", {"lastName": "PINTO-DE'SILVA"}),
            Example('PCase("st john\'s hospital")', "St John'S Hospital"),
        ),
    ),
    Function(
        "Redact",
        (Parameter("value", nullable=True, doc="An attribute, a text or a function."),),
        "The value, unchanged. In the provisioning log the mapping's value is [Redact].",
        strict(_redact),
        (Example("Redact([employeeId])", "4711", {"employeeId": "4711"}),),
        returns=None,
    ),
    Function(
        "Split",
        (
            Parameter("source", doc="A text."),
            Parameter("delimiter", doc="The character, or characters, between the values."),
        ),
        "The parts of the text, as a multi-valued result: each trimmed, empty ones left out.",
        checked(strict(_split), 1, lambda mark: _split("", mark)),
        (
            Example(
                'Split("PermissionSetOne, PermissionSetTwo", ",")',
                ["PermissionSetOne", "PermissionSetTwo"],
                note="trimmed",
            ),
            Example('Item(Split([mail], "@"), 2)', "contoso.com", {"mail": "jo@contoso.com"}),
        ),
        multivalued=True,
    ),
    Function(
        "StripSpaces",
        (_SOURCE,),
        "The text without its spaces (U+0020; tabs stay).",
        strict(lambda source: to_text(source).replace(" ", ""), each=True),
        (Example('StripSpaces(" a b  c ")', "abc"),),
    ),
    Function(
        "ToLower",
        (_SOURCE, _CULTURE_PARAMETER),
        "The text in lower case.",
        checked(strict(_to_lower, each=True), 1, _turkic),
        (
            Example("ToLower([mail])", "jo@contoso.com", {"mail": "Jo@Contoso.COM"}),
            Example('ToLower("DIYARBAKIR", "tr-TR")', "dıyarbakır"),
        ),
    ),
    Function(
        "ToUpper",
        (_SOURCE, _CULTURE_PARAMETER),
        "The text in upper case.",
        checked(strict(_to_upper, each=True), 1, _turkic),
        (Example('ToUpper("straße")', "STRAßE"), Example('ToUpper("izmir", "tr-TR")', "İZMİR")),
    ),
    Function(
        "Trim",
        (Parameter("value", doc="A text; of a multi-valued attribute, each value by itself."),),
        "The text without white space at its ends.",
        strict(lambda value: to_text(value).strip(), each=True),
        (Example('Trim(" Test ")', "Test"), Example("Trim([a])", ["x", "y"], {"a": [" x", "y "]})),
    ),
    Function(
        "Word",
        (
            Parameter("string", nullable=True),
            Parameter("wordNumber", type="Integer", doc="Counted from 1."),
            Parameter("delimiters", doc="Every character of it separates words."),
        ),
        'One word of the text; "" where there are fewer, or the text is null.',
        strict(_word, when_null=""),
        (
            Example('Word("The quick brown fox", 3, " ")', "brown"),
            Example('Word("This,string!has&many separators", 3, ",!&#")', "has"),
            Example('Word("one", 2, " ")', ""),
        ),
    ),
)
