"""Processing: numbers, encodings and identity (reference entra-expressions.md §3.4)."""

from __future__ import annotations

import base64
import binascii
import re
import string

from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Call, Example, Function, Parameter, checked, strict, with_context
from provisor.expressions.values import Context, Evaluator, Value, bounded, shown, to_int, to_text

MAX_RANDOM = 256
"""Characters of a RandomString."""
# The complexity classes of Windows passwords
_SPECIAL = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"
_CLASSES = (string.digits, _SPECIAL, string.ascii_uppercase, string.ascii_lowercase)
_CLASS_NAMES = ("numbers", "special characters", "capitals", "lower-case letters")
_ENCODINGS = {"Unicode": "utf-16-le", "ASCII": "ascii", "UTF8": "utf-8"}


def _bit_and(first: Value, second: Value) -> int:
    return to_int(first, "value1") & to_int(second, "value2")


def _encodable(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        raise EvaluationError(f"{shown(text)} holds half of a character, which cannot be encoded.") from None


def _to_base64(source: Value) -> str:
    return bounded(base64.b64encode(_encodable(to_text(source), "utf-16-le")).decode("ascii"))


def _to_utf8_hex(source: Value) -> str:
    return bounded(_encodable(to_text(source), "utf-8").hex().upper())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise EvaluationError(f"{shown(text)} is no base64 text.") from None


def _encoding(name: str) -> str:
    if name not in _ENCODINGS:
        raise EvaluationError(f"{shown(name)} is no encoding.", hint="Write Unicode, ASCII or UTF8.")
    return _ENCODINGS[name]


def _from_base64(source: Value, encoding: Value) -> str:
    codec = _encoding("Unicode" if encoding is None else to_text(encoding))
    try:
        return _decoded(to_text(source)).decode(codec)
    except UnicodeDecodeError:
        raise EvaluationError(f"{shown(source)} does not hold a text in this encoding.") from None


_COMPONENT = re.compile(r"((?:[^,\\]|\\.)*)(?:,|$)", re.DOTALL)
_MAX_NAME = 4_000
_ESCAPE = re.compile(r"(?:\\[0-9A-Fa-f]{2})+|\\(.)", re.DOTALL)


def _dn_component(dn: Value, number: Value) -> str:
    text, wanted = to_text(dn), to_int(number, "componentNumber")
    if len(text) > _MAX_NAME:
        raise EvaluationError(f"a distinguished name of {len(text):,} characters is not read.")
    components = [match[1].strip() for match in _COMPONENT.finditer(text) if match[1].strip()]
    if not 1 <= wanted <= len(components):
        raise EvaluationError(f"the name has {len(components)} components; there is no {wanted}.")
    return _ESCAPE.sub(_unescaped, components[wanted - 1].partition("=")[2].strip())


def _unescaped(match: re.Match[str]) -> str:
    if match[1] is not None:
        return match[1]
    return bytes.fromhex(match[0].replace("\\", "")).decode("utf-8", "replace")


def _string_from_sid(sid: Value) -> str:
    data = _decoded(to_text(sid))
    if len(data) < 8 or len(data) != 8 + 4 * data[1]:
        raise EvaluationError(f"{shown(sid)} is no security identifier in base64.")
    parts = [int.from_bytes(data[at : at + 4], "little") for at in range(8, len(data), 4)]
    return "-".join(["S", str(data[0]), str(int.from_bytes(data[2:8], "big")), *map(str, parts)])


def _random_string(
    context: Context, length: Value, digits: Value, special: Value, capitals: Value, lower: Value, avoid: Value
) -> str:
    size = to_int(length, "length")
    least = [to_int(value, name) for value, name in zip((digits, special, capitals, lower), _CLASS_NAMES, strict=True)]
    avoided = to_text(avoid)
    classes = [[character for character in group if character not in avoided] for group in _CLASSES]
    _check_random(size, least, classes)
    every = [character for group in classes for character in group]
    chosen = [context.random.choice(group) for group, count in zip(classes, least, strict=True) for _ in range(count)]
    chosen += [context.random.choice(every) for _ in range(size - len(chosen))]
    context.random.shuffle(chosen)
    return "".join(chosen)


def _check_random(size: int, least: list[int], classes: list[list[str]]) -> None:
    if not 1 <= size <= MAX_RANDOM:
        raise EvaluationError(f"length is {size}; it must be from 1 to {MAX_RANDOM}.")
    if min(least) < 0:
        raise EvaluationError("a minimum is negative.")
    if sum(least) > size:
        raise EvaluationError(f"the minimums add up to {sum(least)}, more than the length {size}.")
    for name, count, group in zip(_CLASS_NAMES, least, classes, strict=True):
        if count and not group:
            raise EvaluationError(f"all {name} are to be avoided, but {count} are asked for.")
    if not any(classes):
        raise EvaluationError("all characters are to be avoided.")


def _build_random(call: Call) -> Evaluator:
    """With constants for all arguments, what is wrong with them is said at once."""
    given = [call.constant(index) for index in range(5)]
    avoided = call.constant(5) if call.arguments[5] is not None else ""
    if avoided is not None and None not in given:
        try:
            size, *least = [to_int(value, "the argument") for value in given]
            _check_random(size, least, [[c for c in group if c not in avoided] for group in _CLASSES])
        except EvaluationError as error:
            raise call.refusal(f"RandomString: {error.message}") from None
    return with_context(_random_string)(call)


_NUMBER = Parameter("value1", type="Integer", doc="A number, decimal or as &H and hexadecimal digits.")

NUMBERS: tuple[Function, ...] = (
    Function(
        "BitAnd",
        (_NUMBER, Parameter("value2", type="Integer", doc="Another.")),
        "The bits that both numbers have.",
        strict(_bit_and),
        (
            Example("BitAnd(&HF, &HF7)", 7),
            Example('IIF(BitAnd([userAccountControl], 2) = 0, "True", "False")', "False", {"userAccountControl": 514}),
        ),
        returns="Integer",
    ),
    Function(
        "ConvertFromBase64",
        (
            Parameter("source", doc="A base64 text."),
            Parameter("encoding", required=False, words=tuple(_ENCODINGS), doc="Unicode (the default), ASCII or UTF8."),
        ),
        "The text that was encoded.",
        checked(strict(_from_base64), 1, _encoding),
        (
            Example('ConvertFromBase64("SABlAGwAbABvACAAdwBvAHIAbABkACEA")', "Hello world!"),
            Example('ConvertFromBase64("SGVsbG8gd29ybGQh", UTF8)', "Hello world!"),
        ),
    ),
    Function(
        "ConvertToBase64",
        (Parameter("source"),),
        "The text's UTF-16 (little-endian) bytes in base64.",
        strict(_to_base64),
        (Example('ConvertToBase64("Hello world!")', "SABlAGwAbABvACAAdwBvAHIAbABkACEA"),),
    ),
    Function(
        "ConvertToUTF8Hex",
        (Parameter("source"),),
        "The text's UTF-8 bytes in upper-case hexadecimal digits.",
        strict(_to_utf8_hex),
        (Example('ConvertToUTF8Hex("Hello world!")', "48656C6C6F20776F726C6421"),),
    ),
    Function(
        "CStr",
        (Parameter("value", doc="A number, a boolean, a reference or a text."),),
        "The value as a text.",
        strict(to_text),
        (
            Example("CStr([dn])", "cn=Joe,dc=contoso,dc=com", {"dn": "cn=Joe,dc=contoso,dc=com"}),
            Example("CStr([accountEnabled])", "True", {"accountEnabled": True}),
        ),
    ),
    Function(
        "DefaultDomain",
        (),
        "The tenant's default domain name.",
        with_context(lambda context: context.default_domain),
        (Example('Join("@", [mailNickname], DefaultDomain())', "jo@contoso.com", {"mailNickname": "jo"}),),
    ),
    Function(
        "DNComponent",
        (
            Parameter("dn", doc="A distinguished name."),
            Parameter("componentNumber", type="Integer", doc="Counted from 1, from the left."),
        ),
        "The value of one component of the name. Fails where there are fewer.",
        strict(_dn_component),
        (Example("DNComponent([dn], 1)", "Doe, Joe", {"dn": "cn=Doe\\, Joe,ou=Sales,dc=contoso,dc=com"}),),
    ),
    Function(
        "Guid",
        (),
        "A new random GUID, in lower case with dashes.",
        with_context(lambda context: context.uuid()),
        (Example("Len(Guid())", 36),),
    ),
    Function(
        "RandomString",
        (
            Parameter("length", type="Integer", doc="1 to 256."),
            Parameter("minimumNumbers", type="Integer"),
            Parameter("minimumSpecialCharacters", type="Integer"),
            Parameter("minimumCapital", type="Integer"),
            Parameter("minimumLowerCase", type="Integer"),
            Parameter("charactersToAvoid", required=False, doc="Characters that must not occur."),
        ),
        "A random text: the minimums of each class, filled up from all classes, shuffled.",
        _build_random,
        (Example('Len(RandomString(10, 2, 2, 2, 1, "?,"))', 10),),
    ),
    Function(
        "StringFromSid",
        (Parameter("sid", doc="A binary security identifier, in base64."),),
        "The security identifier as S-1-... .",
        strict(_string_from_sid),
        (Example('StringFromSid("AQIAAAAAAAUgAAAAIAIAAA==")', "S-1-5-32-544"),),
    ),
)
