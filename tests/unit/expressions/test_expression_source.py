"""The JSON form, attributeMappingSource (graph-synchronization-api.md §6): both ways, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.expressions.compile import attribute, compile_source, constant
from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import ExpressionError
from provisor.expressions.values import Context

LANGUAGE = 'Replace([preferredLanguage], "-", , , "_", , )'


def attribute_source(name: str) -> dict[str, Any]:
    return {"expression": f"[{name}]", "name": name, "type": "Attribute", "parameters": []}


def constant_source(name: str, expression: str | None = None) -> dict[str, Any]:
    return {"expression": expression or f'"{name}"', "name": name, "type": "Constant", "parameters": []}


def function_source(expression: str, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in parameters.items()]
    return {"expression": expression, "name": name, "type": "Function", "parameters": pairs}


SOURCES = [
    ("[mail]", attribute_source("mail")),
    ('"UTC"', constant_source("UTC")),
    (
        LANGUAGE,
        function_source(
            LANGUAGE,
            "Replace",
            {
                "source": attribute_source("preferredLanguage"),
                "Find": constant_source("-"),
                "Replacement": constant_source("_"),
            },
        ),
    ),
    (
        "Mid([userPrincipalName], 1, 8)",
        function_source(
            "Mid([userPrincipalName], 1, 8)",
            "Mid",
            {
                "source": attribute_source("userPrincipalName"),
                "start": constant_source("1"),
                "length": constant_source("8"),
            },
        ),
    ),
    (
        "Not([IsSoftDeleted])",
        function_source("Not([IsSoftDeleted])", "Not", {"source": attribute_source("IsSoftDeleted")}),
    ),
    (
        'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
        function_source(
            'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
            "Switch",
            {
                "source": attribute_source("IsSoftDeleted"),
                "key1": constant_source("False"),
                "value1": constant_source("True"),
                "key2": constant_source("True"),
                "value2": constant_source("False"),
            },
        ),
    ),
    (
        'IIF([a] = "x", InStr([b], "y", , vbTextCompare), Now())',
        function_source(
            'IIF([a] = "x", InStr([b], "y", , vbTextCompare), Now())',
            "IIF",
            {
                "condition": function_source(
                    '[a] = "x"', "=", {"left": attribute_source("a"), "right": constant_source("x")}
                ),
                "valueIfTrue": function_source(
                    'InStr([b], "y", , vbTextCompare)',
                    "InStr",
                    {
                        "value1": attribute_source("b"),
                        "value2": constant_source("y"),
                        "compareType": constant_source("vbTextCompare", "vbTextCompare"),
                    },
                ),
                "valueIfFalse": function_source("Now()", "Now", {}),
            },
        ),
    ),
    (
        'FormatDateTime([d], "yyyy", "yy")',
        function_source(
            'FormatDateTime([d], "yyyy", "yy")',
            "FormatDateTime",
            {
                "source": attribute_source("d"),
                "inputFormat": constant_source("yyyy"),
                "outputFormat": constant_source("yy"),
            },
        ),
    ),
]


@pytest.mark.parametrize(("text", "source"), SOURCES)
def test_text_and_json_say_the_same_both_ways(text: str, source: dict[str, Any]) -> None:
    expression = compile_expression(text)
    assert expression.to_source() == source
    assert compile_source(source).tree == expression.tree
    assert compile_source(source).to_source() == source


@pytest.mark.parametrize(("text", "source"), SOURCES)
def test_a_function_without_its_text_is_put_together_from_its_parameters(
    text: str, source: dict[str, Any], context: Context
) -> None:
    def without_text(node: dict[str, Any]) -> dict[str, Any]:
        keep = {} if node["type"] == "Function" else {"expression": node["expression"]}
        parameters = [{"key": p["key"], "value": without_text(p["value"])} for p in node["parameters"]]
        return {"name": node["name"], "type": node["type"], "parameters": parameters, **keep}

    attributes = {"IsSoftDeleted": "False", "preferredLanguage": "en-US", "a": "x", "b": "Y", "d": "2024"}.get
    rebuilt = compile_source(without_text(source))
    assert rebuilt.evaluate(attributes, context) == compile_expression(text).evaluate(attributes, context)


def test_the_text_as_it_was_written_is_kept() -> None:
    expression = compile_expression(' Join(",",[a],\n[b]) ')
    assert expression.text == 'Join(",",[a],\n[b])'
    assert compile_source(expression.to_source()).text == expression.text


@pytest.mark.parametrize("value", ["UTC", "", 'say "hi"', "back\\slash", "[mail]", "12", " spaced ", "line\nbreak"])
def test_a_constant_is_this_text_whatever_is_in_it(value: str, context: Context) -> None:
    expression = constant(value)
    assert expression.evaluate({}.get, context) == value
    assert compile_source(expression.to_source()).evaluate({}.get, context) == value
    assert (expression.attributes, expression.functions) == (frozenset(), frozenset())


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ({"type": "Constant", "name": "UTC"}, "UTC"),
        ({"type": "Constant", "name": "UTC", "expression": "UTC"}, "UTC"),
        ({"type": "Constant", "name": None, "expression": '"UTC"'}, "UTC"),
        ({"type": "Constant", "name": "1", "expression": '"1"'}, "1"),
        ({"type": "Attribute", "name": "mail", "expression": None}, "jo@contoso.com"),
        ({"type": "Attribute", "name": None, "expression": "[mail]"}, "jo@contoso.com"),
        ({"name": "mail"}, "jo@contoso.com"),
        ({"type": "Function", "name": "Append", "expression": 'Append([mail], "!")'}, "jo@contoso.com!"),
    ],
)
def test_what_entra_leaves_out_is_made_good(source: dict[str, Any], value: str, context: Context) -> None:
    assert compile_source(source).evaluate({"mail": "jo@contoso.com"}.get, context) == value


def condition(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Function", "name": "CBool", "parameters": [{"key": "expression", "value": source}]}


def test_a_condition_has_its_text_or_its_two_sides(context: Context) -> None:
    sides = [{"key": "left", "value": attribute_source("a")}, {"key": "right", "value": constant_source("x")}]
    for source in (
        {"type": "Function", "name": "=", "expression": '[a] = "x"'},
        {"type": "Function", "name": "=", "parameters": sides},
    ):
        assert compile_source(condition(source)).evaluate({"a": "x"}.get, context) == "True"
    with pytest.raises(ExpressionError, match="is not one"):
        compile_source(condition({"type": "Function", "name": "=", "expression": "[a]"}))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "is a JSON object"),
        ([], "is a JSON object"),
        ({"type": "Magic", "name": "x"}, "Use Attribute, Constant or Function"),
        ({"type": "Attribute"}, "no usable name"),
        ({"type": "Attribute", "name": "a]b"}, "expected the end"),
        ({"type": "Attribute", "name": 5}, "which is not a text"),
        ({"type": "Constant"}, "no usable name"),
        ({"type": "Function"}, "no usable name"),
        ({"type": "Function", "name": "Nope", "parameters": []}, "there is no function Nope"),
        ({"type": "Function", "name": "Not", "parameters": "x"}, "are not a list"),
        ({"type": "Function", "name": "Not", "parameters": ["x"]}, "not a 'key' with a 'value'"),
        (
            {"type": "Function", "name": "Not", "parameters": [{"key": "sauce", "value": attribute_source("a")}]},
            "Not has no parameter 'sauce'. It has source.",
        ),
        (
            {
                "type": "Function",
                "name": "CBool",
                "parameters": [{"key": "expression", "value": {"type": "Function", "name": "="}}],
            },
            "needs the parameters 'left' and 'right'",
        ),
    ],
)
def test_a_json_form_that_is_none_is_refused(source: object, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_source(source)
    assert message in str(caught.value)


def test_an_attribute_is_a_direct_mapping(context: Context) -> None:
    expression = attribute("mail")
    assert expression.evaluate({"mail": ["a", "b"]}.get, context) == ["a", "b"]
    assert expression.evaluate({}.get, context) is None
    assert expression.to_source() == attribute_source("mail")
    with pytest.raises(ExpressionError):
        attribute("")
