"""Functions over several values, numbers, encodings, identity, roles (entra-expressions.md §3.3, §3.4, §3.6, §3.7)."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.functions.multivalue import MULTIVALUE
from provisor.expressions.functions.numbers import NUMBERS
from provisor.expressions.functions.roles import ROLES
from provisor.expressions.values import Context

PROXIES = {"p": ["a", "b", "a", "A"]}
ROLE_TYPE = "WindowsAzureActiveDirectoryRole"
OBJECT_ROLES = {"r": [{"value": "admin", "displayName": "Administrator"}, {"displayName": "User"}]}
COMPLEX = [
    {"primary": False, "type": ROLE_TYPE, "display": "Administrator", "value": "admin"},
    {"primary": False, "type": ROLE_TYPE, "display": "User", "value": "User"},
]

VECTORS: dict[str, list[tuple[str, Any, dict[str, Any]]]] = {
    "Count": [
        ("Count([p])", 4, PROXIES),
        ("Count([p])", 0, {}),
        ("Count([p])", 0, {"p": []}),
        ("Count([p])", 1, {"p": "x"}),
        ("Count(RemoveDuplicates([p]))", 3, PROXIES),
    ],
    "Item": [
        ("Item([proxyAddresses], 1)", "a", {"proxyAddresses": ["a", "b"]}),
        ("Item([p], 4)", "A", PROXIES),
        ("Item([p], 5)", EvaluationError, PROXIES),
        ("Item([p], 0)", EvaluationError, PROXIES),
        ("Item([p], -1)", EvaluationError, PROXIES),
        ("Item([p], 1)", None, {}),
        ('Item([p], "1")', "x", {"p": "x"}),
        ("Item([p], 2)", EvaluationError, {"p": "x"}),
        ("Item([p], [i])", None, PROXIES),
    ],
    "RemoveDuplicates": [
        ("RemoveDuplicates([p])", ["a", "b", "A"], PROXIES),
        ("RemoveDuplicates([p])", None, {}),
        ("RemoveDuplicates([p])", ["x"], {"p": "x"}),
        ("RemoveDuplicates([p])", [{"value": "x"}], {"p": [{"value": "x"}, {"value": "x"}]}),
        ('RemoveDuplicates(Split("b,a,b", ","))', ["b", "a"], {}),
    ],
    "BitAnd": [
        ("BitAnd(&HF, &HF7)", 7, {}),
        ('BitAnd("12", 10)', 8, {}),
        ("BitAnd([a], 2)", 2, {"a": "514"}),
        ("BitAnd([a], 2)", None, {}),
        ("BitAnd(-1, 255)", 255, {}),
        ("BitAnd([a], 2)", EvaluationError, {"a": "x"}),
        ('BitAnd("&hff", 15)', 15, {}),
    ],
    "ConvertFromBase64": [
        ('ConvertFromBase64("SABlAGwAbABvACAAdwBvAHIAbABkACEA")', "Hello world!", {}),
        ('ConvertFromBase64("SGVsbG8gd29ybGQh", UTF8)', "Hello world!", {}),
        ('ConvertFromBase64("SGVs bG8=", ASCII)', "Hello", {}),
        ('ConvertFromBase64("w6k=", "UTF8")', "é", {}),
        ('ConvertFromBase64("w6k=", ASCII)', EvaluationError, {}),
        ('ConvertFromBase64("%%%")', EvaluationError, {}),
        ("ConvertFromBase64([a])", None, {}),
    ],
    "ConvertToBase64": [
        ('ConvertToBase64("Hello world!")', "SABlAGwAbABvACAAdwBvAHIAbABkACEA", {}),
        ('ConvertToBase64("")', "", {}),
        ('ConvertToBase64("é")', "6QA=", {}),
        ("ConvertToBase64([a])", None, {}),
        ('ConvertFromBase64(ConvertToBase64("Zoë 😀"))', "Zoë 😀", {}),
        ("ConvertToBase64([a])", EvaluationError, {"a": "\ud800"}),
    ],
    "ConvertToUTF8Hex": [
        ('ConvertToUTF8Hex("Hello world!")', "48656C6C6F20776F726C6421", {}),
        ('ConvertToUTF8Hex("é")', "C3A9", {}),
        ('ConvertToUTF8Hex("")', "", {}),
        ("ConvertToUTF8Hex([a])", None, {}),
        ("ConvertToUTF8Hex(12)", "3132", {}),
    ],
    "CStr": [
        ("CStr([dn])", "cn=Joe,dc=contoso,dc=com", {"dn": "cn=Joe,dc=contoso,dc=com"}),
        ("CStr([a])", "5", {"a": 5}),
        ("CStr([a])", "False", {"a": False}),
        ("CStr([a])", None, {}),
        ("CStr([a])", EvaluationError, {"a": ["x", "y"]}),
        ("CStr([a])", EvaluationError, {"a": {"value": "x"}}),
    ],
    "DefaultDomain": [
        ("DefaultDomain()", "contoso.com", {}),
        ('Append("jo@", DefaultDomain())', "jo@contoso.com", {}),
        ("DefaultDomain( )", "contoso.com", {}),
        ("ToUpper(DefaultDomain())", "CONTOSO.COM", {}),
        ('IIF(DefaultDomain() = "contoso.com", "y", "n")', "y", {}),
    ],
    "DNComponent": [
        ("DNComponent([dn], 1)", "Joe", {"dn": "cn=Joe,ou=Sales,dc=com"}),
        ("DNComponent([dn], 2)", "Sales", {"dn": "cn=Joe, ou=Sales ,dc=com"}),
        ("DNComponent([dn], 1)", "Doe, Joe", {"dn": "cn=Doe\\, Joe,ou=Sales"}),
        ("DNComponent([dn], 1)", "Zoë", {"dn": "cn=Zo\\C3\\AB,ou=Sales"}),
        ("DNComponent([dn], 4)", EvaluationError, {"dn": "cn=Joe,ou=Sales,dc=com"}),
        ("DNComponent([dn], 0)", EvaluationError, {"dn": "cn=Joe"}),
        ("DNComponent([dn], 1)", EvaluationError, {"dn": "x" * 5_000 + "\\"}),
        ("DNComponent([dn], 1)", None, {}),
    ],
    "Guid": [
        ("Guid()", "00000000-0000-4000-8000-000000000001", {}),
        ('Join(" ", Left(Guid(), 8), Left(Guid(), 8))', "00000000 00000000", {}),
        ("Len(Guid())", 36, {}),
        ('StripSpaces(Replace(Guid(), "-", , , "", , ))', "00000000000040008000000000000001", {}),
        ('IIF(Guid() = Guid(), "same", "new")', "new", {}),
    ],
    "RandomString": [
        ("Len(RandomString(6,3,0,0,3))", 6, {}),
        ("Len(RandomString(256,0,0,0,0))", 256, {}),
        ("Len(RandomString([n],0,0,0,0))", 1, {"n": "1"}),
        ("RandomString([n],0,0,0,0)", EvaluationError, {"n": 257}),
        ("RandomString([n],1,1,1,1)", EvaluationError, {"n": 3}),
        ('RandomString([n],1,0,0,0,"0123456789")', EvaluationError, {"n": 3}),
        ("RandomString([n],1,0,0,0)", None, {}),
        ("RandomString([n],-1,0,0,0)", EvaluationError, {"n": 3}),
    ],
    "StringFromSid": [
        ('StringFromSid("AQIAAAAAAAUgAAAAIAIAAA==")', "S-1-5-32-544", {}),
        ('StringFromSid("AQEAAAAAAAUSAAAA")', "S-1-5-18", {}),
        ('StringFromSid("AQE=")', EvaluationError, {}),
        ('StringFromSid("S-1-5-18")', EvaluationError, {}),
        ("StringFromSid([a])", None, {}),
    ],
    "AppRoleAssignments": [
        ("AppRoleAssignments([r])", ["Admin"], {"r": ["Admin"]}),
        ("AppRoleAssignments([r])", ["admin", "User"], OBJECT_ROLES),
        ("AppRoleAssignments([r])", ["Admin"], {"r": "Admin"}),
        ("AppRoleAssignments([r])", None, {}),
        ('Join(";", AppRoleAssignments([r]))', "a;b", {"r": ["a", "b"]}),
    ],
    "AppRoleAssignmentsComplex": [
        ("AppRoleAssignmentsComplex([r])", COMPLEX, OBJECT_ROLES),
        (
            "AppRoleAssignmentsComplex([r])",
            [{"primary": False, "type": ROLE_TYPE, "display": "A", "value": "A"}],
            {"r": "A"},
        ),
        ("AppRoleAssignmentsComplex([r])", [], {}),
        ("Count(AppRoleAssignmentsComplex([r]))", 2, {"r": ["a", "b"]}),
        ("AppRoleAssignmentsComplex([r])", [], {"r": [""]}),
    ],
    "AssertiveAppRoleAssignmentsComplex": [
        ("AssertiveAppRoleAssignmentsComplex([r])", COMPLEX, OBJECT_ROLES),
        ("AssertiveAppRoleAssignmentsComplex([r])", [], {}),
        ("AssertiveAppRoleAssignmentsComplex([r])", [], {"r": []}),
        ("Count(AssertiveAppRoleAssignmentsComplex([r]))", 1, {"r": ["a"]}),
        ("CStr(AssertiveAppRoleAssignmentsComplex([r]))", EvaluationError, {"r": ["a"]}),
    ],
    "SingleAppRoleAssignment": [
        ("SingleAppRoleAssignment([r])", "Admin", {"r": ["Admin"]}),
        ("SingleAppRoleAssignment([r])", "admin", OBJECT_ROLES),
        ("SingleAppRoleAssignment([r])", None, {}),
        ("SingleAppRoleAssignment([r])", None, {"r": []}),
        ("SingleAppRoleAssignment([r])", "Admin", {"r": "Admin"}),
    ],
    "SelectUniqueValue": [
        ('SelectUniqueValue("John.Smith", "J.Smith", "Jo.Smith")', "J.Smith", {}),
        ('SelectUniqueValue("Free", "John.Smith")', "Free", {}),
        ('SelectUniqueValue("John.Smith", [a])', EvaluationError, {"a": "John.Smith"}),
        ('SelectUniqueValue([a], "x")', "x", {}),
        ("SelectUniqueValue([a], [b])", None, {}),
    ],
}
CASES = [case for cases in VECTORS.values() for case in cases]


@pytest.mark.parametrize(("text", "expected", "attributes"), CASES)
def test_a_function_gives_the_documented_value(
    text: str, expected: Any, attributes: dict[str, Any], evaluate: Callable[..., Any]
) -> None:
    if expected is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(text, attributes)
    else:
        assert evaluate(text, attributes) == expected


def test_every_function_of_these_groups_has_vectors() -> None:
    assert set(VECTORS) == {entry.name for entry in (*MULTIVALUE, *NUMBERS, *ROLES)}
    assert min(len(cases) for cases in VECTORS.values()) >= 5


def test_a_random_string_keeps_its_minimums_and_avoids_what_it_should(evaluate: Callable[..., Any]) -> None:
    for _ in range(50):
        value = evaluate('RandomString(10,2,2,2,1,"?,0")')
        assert len(value) == 10
        assert sum(character in string.digits for character in value) >= 2
        assert sum(character in string.ascii_uppercase for character in value) >= 2
        assert sum(character in string.ascii_lowercase for character in value) >= 1
        assert sum(character in string.punctuation for character in value) >= 2
        assert not set(value) & set("?,0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RandomString(300,0,0,0,0)", "length is 300; it must be from 1 to 256"),
        ("RandomString(3,1,1,1,1)", "the minimums add up to 4, more than the length 3"),
        ('RandomString(3,1,0,0,0,"0123456789")', "all numbers are to be avoided"),
        ('ConvertFromBase64("x", UTF7)', "'encoding' cannot be UTF7. Write Unicode or ASCII or UTF8."),
        ('SelectUniqueValue("one")', "at least two rules"),
        ('Append(SelectUniqueValue("a", "b"), "x")', "may not stand inside another function"),
        ("Item([a], one)", "a bare word, one, means nothing here"),
    ],
)
def test_constants_that_cannot_work_are_refused_when_the_mapping_is_saved(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert message in str(caught.value)


def test_select_unique_value_needs_someone_who_knows_the_target(context: Context) -> None:
    expression = compile_expression('SelectUniqueValue("a", "b")')
    with pytest.raises(EvaluationError, match="nobody can say"):
        expression.evaluate({}.get, replace(context, is_taken=None))


def test_without_a_default_domain_the_value_is_null(context: Context) -> None:
    assert compile_expression("DefaultDomain()").evaluate({}.get, replace(context, default_domain=None)) is None
