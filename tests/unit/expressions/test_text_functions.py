"""Text functions, one table each: what the reference documents (entra-expressions.md §3.1), then edges of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.text import TEXT

MANY = {"m": ["Ab", "Cd"]}

VECTORS: dict[str, list[tuple[str, Any] | tuple[str, Any, dict[str, Any]]]] = {
    "Append": [
        ('Append([upn], ".test")', "John.Doe@contoso.com.test", {"upn": "John.Doe@contoso.com"}),
        ("Append(Mid([givenName],1,3), Mid([surname],1,5))", "JohDoe", {"givenName": "John", "surname": "Doe"}),
        ('Append("Company name: \\"Contoso\\"", "")', 'Company name: "Contoso"'),
        ('Append([a], "x")', None),  # a null source stays null
        ('Append([a], "x")', "x", {"a": ""}),
        ('Append("x", [a])', "x"),  # a null suffix is nothing
        ('Append([m], "!")', ["Ab!", "Cd!"], MANY),
        ("Append([n], 1)", "51", {"n": 5}),
        ('Append([b], "")', "True", {"b": True}),
    ],
    "Contains": [
        ('Contains([m], "C")', 2, MANY),
        ('Contains([m], "c")', 0, MANY),  # case counts
        ('Contains([m], "x")', 0, MANY),
        ('Contains([a], "x")', 0),
        ('Contains("abc", "b")', 1),
        ('Contains([m], "")', 1, MANY),
    ],
    "InStr": [
        ('InStr("The quick brown fox","quick")', 5),
        ('InStr("repEated","e",3,vbBinaryCompare)', 7),
        ('InStr("repEated","e",3,vbTextCompare)', 4),
        ('InStr("abc", "x")', 0),
        ('InStr("abc", "a", 2)', 0),
        ('InStr("abc", "")', 1),
        ('InStr("abc", "c", 99)', 0),
        ('InStr([a], "c")', None),
        ('InStr("abc", "c", 0)', EvaluationError),
    ],
    "Join": [
        ('Join(", ", "", [surname], [givenName])', "Doe, John", {"givenName": "John", "surname": "Doe"}),
        ('Join("@", "a", "contoso.com")', "a@contoso.com"),
        ('Join("", 1000, "x")', "1000x"),
        (
            'Join("", 1000, Replace(ConvertToUTF8Hex([objectId]), , "[a-zA-Z_]*", , "", , ))',
            "100030306161303061612626231312636332322646433332343465653434656534346565",
            {"objectId": "00aa00aa-bb11-cc22-dd33-44ee44ee44ee"},
        ),
        ('Join(";", [m], "e")', "Ab;Cd;e", MANY),
        ('Join(";", [m])', "a", {"m": ["", "a"]}),
        ('Join(" ", [a], [b])', None),
        ('Join(" ", [a], [b])', "x", {"b": "x"}),
        ('Join(" ", [a], [b])', "True 7", {"a": True, "b": 7}),
        ("Join([s], [a], [b])", "xy", {"a": "x", "b": "y"}),  # a null separator is none
        ('Join(" ", , [b])', "y", {"b": "y"}),
        ('Join(" ", "007", 007)', "007 007"),
        ('Join(" ", [f], [b])', "1.5 False", {"f": 1.5, "b": False}),
    ],
    "Left": [
        ('Left("John Doe",3)', "Joh"),
        ('Left("John Doe",0)', ""),
        ('Left("John Doe",-1)', "John Doe"),
        ('Left("John",99)', "John"),
        ("Left([a],3)", ""),
        ('Left("John","2")', "Jo"),
        ('Left("John",[n])', None),
        ('Left("John",[n])', EvaluationError, {"n": "two"}),
    ],
    "Len": [
        ('Len("")', 0),
        ('Len("Zoë")', 3),
        ("Len([a])", None),
        ("Len([n])", 3, {"n": 123}),
        ('Len(" a ")', 3),
        ("Len([m])", EvaluationError, MANY),
        ("Len([m])", 2, {"m": ["Ab"]}),
    ],
    "Mid": [
        ('Mid("Johnathan",1,3)', "Joh"),
        ('Mid([x], "1", "2")', "ab", {"x": "abc"}),
        ('Mid("abc",2,99)', "bc"),
        ('Mid("abc",4,1)', ""),
        ('Mid("abc",99,1)', ""),
        ('Mid("abc",2)', "bc"),
        ('Mid("abc",1,0)', ""),
        ('Mid("abc",0,1)', EvaluationError),
        ('Mid("abc",1,-1)', EvaluationError),
        ("Mid([a],1,1)", None),
        ("Mid([m],1,1)", ["A", "C"], MANY),
    ],
    "NormalizeDiacritics": [
        ('NormalizeDiacritics("Zoë")', "Zoe"),
        ('NormalizeDiacritics("Jéssica")', "Jessica"),
        ('NormalizeDiacritics("æ ǣ Æ Ǣ ø ø̄ œ̄ Ø Ø̄ Œ̄")', "ae ae AE AE oe oe oe OE OE OE"),
        ('NormalizeDiacritics("ß ı İ ł Ł")', "ss i I l L"),
        ('NormalizeDiacritics("ä ö ü å c̄ ḏ ḗ ḡ ḻ n̄ ṯ ū̃ ȳ ẕ")', "a o u a c d e g l n t u y z"),
        ('NormalizeDiacritics("đ þ ð ŋ")', "đ þ ð ŋ"),  # not in the documented table
        ('NormalizeDiacritics("한국 Łódź")', "한국 Lodz"),  # what is no accent is not taken apart
        ('NormalizeDiacritics("")', ""),
        ("NormalizeDiacritics([a])", None),
        ("NormalizeDiacritics([m])", ["e", "o"], {"m": ["é", "ö"]}),
        ('NormalizeDiacritics("e\u0301")', "e"),
    ],
    "PCase": [
        ("PCase([firstName])", "Pablo Gonsalves (Second)", {"firstName": "PABLO GONSALVES (SECOND)"}),
        ('PCase([lastName], " \'-")', "Pinto-De'Silva", {"lastName": "PINTO-DE'SILVA"}),
        ('PCase(Join(" ",[f],[l]))', "Gregory James", {"f": "GREGORY", "l": "JAMES"}),
        ('PCase("st john\'s hospital")', "St John'S Hospital"),
        ('PCase("anna-lena o_neill", " ")', "Anna-lena O_neill"),
        ('PCase("ÉMILE zola")', "Émile Zola"),
        ('PCase("a1b 3rd")', "A1b 3Rd"),
        ('PCase("(second)", " ")', "(Second)"),
        ('PCase("")', ""),
        ("PCase([a])", None),
    ],
    "Redact": [
        ("Redact([a])", "x", {"a": "x"}),
        ("Redact([a])", None),
        ("Redact([m])", ["Ab", "Cd"], MANY),
        ('Redact("secret")', "secret"),
        ('Redact(Append([a], "1"))', "x1", {"a": "x"}),
        ("Redact([b])", False, {"b": False}),
    ],
    "Split": [
        ('Split("PermissionSetOne, PermissionSetTwo", ",")', ["PermissionSetOne", "PermissionSetTwo"]),
        ('Split("a", ",")', ["a"]),
        ('Split("a,,b,", ",")', ["a", "b"]),
        ('Split("", ",")', []),
        ('Split("a--b-c", "--")', ["a", "b-c"]),
        ('Split([a], ",")', None),
        ('Split([m], ";")', ["a", "b", "c"], {"m": ["a;b", "c"]}),
        ("Split([a], [d])", EvaluationError, {"a": "x", "d": ""}),
    ],
    "StripSpaces": [
        ('StripSpaces(" a  b ")', "ab"),
        ('StripSpaces("a\tb\nc d")', "a\tb\ncd"),  # only U+0020
        ('StripSpaces("a\u00a0b")', "a\u00a0b"),
        ('StripSpaces("   ")', ""),
        ("StripSpaces([a])", None),
        ("StripSpaces([m])", ["ab", "c"], {"m": ["a b", " c"]}),
    ],
    "ToLower": [
        ("ToLower([a])", "jo@contoso.com", {"a": "Jo@Contoso.COM"}),
        ('ToLower("DIYARBAKIR", "tr-TR")', "dıyarbakır"),
        ('ToLower("İI", "az")', "iı"),
        ('ToLower("İI")', "İi"),  # the invariant culture leaves İ alone
        ('ToLower("ΣΑΣ")', "σασ"),  # one character for one: no final sigma
        ('ToLower("ÄÖ", "de-DE")', "äö"),
        ("ToLower([a])", None),
        ("ToLower([m])", ["ab", "cd"], MANY),
        ("ToLower([a], [c])", EvaluationError, {"a": "x", "c": "no culture!"}),
    ],
    "ToUpper": [
        ('ToUpper("jo")', "JO"),
        ('ToUpper("straße")', "STRAßE"),
        ('ToUpper("izmir ı", "tr-TR")', "İZMİR I"),
        ('ToUpper("ıſ")', "ıſ"),
        ('ToUpper("éé", "fr-FR")', "ÉÉ"),
        ("ToUpper([a])", None),
        ("ToUpper([m])", ["AB", "CD"], MANY),
        ("ToUpper([b])", "TRUE", {"b": True}),
    ],
    "Trim": [
        ('Trim(" Test ")', "Test"),
        ('Trim("\t a b \n")', "a b"),
        ('Trim("  ")', ""),
        ("Trim([a])", None),
        ("Trim([m])", ["x", "y"], {"m": [" x", "y "]}),
        ('Trim("\u00a0x\u00a0")', "x"),
    ],
    "Word": [
        ('Word("The quick brown fox",3," ")', "brown"),
        ('Word("This,string!has&many separators",3,",!&#")', "has"),
        ('Word("one",2," ")', ""),
        ('Word("one two",0," ")', ""),
        ('Word("one two",-1," ")', ""),
        ('Word([a],1," ")', ""),
        ('Word("  one   two ",2," ")', "two"),
        ('Word("one two","2"," ")', "two"),
        ('Word("one two",1,"")', "one two"),
        ('Word("one two",[n]," ")', "two", {"n": 2}),
    ],
}
CASES = [(case[0], case[1], case[2] if len(case) > 2 else {}) for cases in VECTORS.values() for case in cases]


@pytest.mark.parametrize(("text", "expected", "attributes"), CASES)
def test_a_text_function_gives_the_documented_value(
    text: str, expected: Any, attributes: dict[str, Any], evaluate: Callable[..., Any]
) -> None:
    if expected is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(text, attributes)
    else:
        value = evaluate(text, attributes)
        assert (value, type(value)) == (expected, type(expected))


def test_every_text_function_has_vectors() -> None:
    assert set(VECTORS) == {entry.name for entry in TEXT}
    assert min(len(cases) for cases in VECTORS.values()) >= 5
