"""The grammar, its normal form, and errors that say where and what next (entra-expressions.md §1)."""

from __future__ import annotations

import pytest

from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.parser import MAX_DEPTH, MAX_TEXT, parse
from provisor.expressions.tree import Attribute, Condition, Function, Number, Text, Word, to_text

URN = 'urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"].value'

NORMAL_FORMS = [
    ('Replace([preferredLanguage],"-",,,"_",,)', 'Replace([preferredLanguage], "-", , , "_", , )'),
    ('Replace([mail], "@contoso.com", , ,"", ,)', 'Replace([mail], "@contoso.com", , , "", , )'),
    (' Join ( " " ,\n\t[givenName],[surname] ) ', 'Join(" ", [givenName], [surname])'),
    ("Now( )", "Now()"),
    ("[ mail ]", "[mail]"),
    ("Mid([userPrincipalName], 1, 8)", "Mid([userPrincipalName], 1, 8)"),
    ("BitAnd(&HF,&HF7)", "BitAnd(&HF, &HF7)"),
    ('IIF([country]="USA",[a],-1)', 'IIF([country] = "USA", [a], -1)'),
    ("CBool([a]<>[b])", "CBool([a] <> [b])"),
    ('"a \\"quote\\" and a \\\\"', '"a \\"quote\\" and a \\\\"'),
    ('"\\+"', '"\\\\+"'),  # an unknown escape is both characters
    ("Switch([a], , )", "Switch([a], , )"),
]


@pytest.mark.parametrize(("text", "normal"), NORMAL_FORMS)
def test_an_expression_has_one_normal_form(text: str, normal: str) -> None:
    assert to_text(parse(text.strip())) == normal
    assert to_text(parse(normal)) == normal
    assert parse(normal) == parse(text.strip())


def test_the_tree_says_what_is_written() -> None:
    tree = parse('IIF([a.b] >= 2, InStr("x", [c], , vbTextCompare), )')
    assert tree == Function(
        "IIF",
        (
            Condition(Attribute("a.b"), ">=", Number("2")),
            Function("InStr", (Text("x"), Attribute("c"), None, Word("vbTextCompare"))),
            None,
        ),
    )


def test_nodes_know_where_they_began() -> None:
    tree = parse('Append(\n  [a], "x")')
    assert isinstance(tree, Function)
    assert [argument.at for argument in tree.arguments if argument] == [10, 15]


@pytest.mark.parametrize(
    "name", ["extension_0a1b_costCenter", "urn:ietf:params:scim:User:x.y", URN, "manager.mail", "ä"]
)
def test_an_attributes_name_may_hold_dots_urns_and_a_filter(name: str) -> None:
    assert parse(f"[{name}]") == Attribute(name)


ERRORS = [
    # text, line, column, what is said
    ("", 1, 1, "the expression is empty"),
    ("Jion([a])", 1, 1, "there is no function Jion. Did you mean Join?"),
    ("tolower([a])", 1, 1, "Did you mean ToLower? Names are case-sensitive."),
    ("Frobnicate([a])", 1, 1, "there is no function Frobnicate"),
    ('Append(\n  [a],\n  Lefft("x", 1))', 3, 3, "Did you mean Left?"),
    ('Join("a"', 1, 5, "expected ')' to close Join("),
    ('Join("a" [b])', 1, 10, "expected ',' or ')' in the arguments of Join; found '['"),
    ('IIF([a]="b" AND [c]="d", 1, 2)', 1, 13, "There is no AND or OR"),
    ('Join("t-" & [alias])', 1, 11, "There is no '&': put texts together with Join or Append"),
    ('"a" & "b"', 1, 5, "There is no '&'"),
    ("CBool([a] = [b] = [c])", 1, 17, "a condition compares two things only"),
    ("[a] = [b]", 1, 5, "A condition stands inside a function"),
    ('Append([a], "x', 1, 13, "this text is never closed"),
    ("Append([a, 1)", 1, 8, "expected ']' after the attribute's name"),
    ("[]", 1, 2, "expected an attribute's name"),
    ("Append([a], 'x')", 1, 13, "straight double quotes"),
    ("Append([a], 1.5)", 1, 13, "Numbers are whole"),
    ("Append(([a]), 1)", 1, 8, "Parentheses only follow a function's name"),
    ("Append([a], True)", 1, 13, 'a text in quotes, "True"'),
    ("mail", 1, 1, "An attribute stands in brackets, [mail]"),
    ("mail x", 1, 6, "expected '(' after mail"),
    ('Append([a], "x"))', 1, 17, "expected the end of the expression"),
    ("Append([a])", 1, 1, "Append needs 'suffix'. It is Append(source, suffix)."),
    ("Append(, [a])", 1, 1, "Append needs 'source'"),
    ("Not([a], [b])", 1, 1, "Not takes at most 1 argument; here are 2"),
    ('Join(",")', 1, 1, "Join needs at least one source"),
    ('Switch([a], , "k")', 1, 1, "Switch needs at least one key and value pair"),
    ('Switch([a], , "k", "v", "l")', 1, 1, "Switch needs another key and value pair"),
    ('Mid([a], "one", 1)', 1, 10, "'start' must be a whole number"),
    ("InStr([a], [b], 1, vbFoo)", 1, 20, "'compareType' cannot be vbFoo. Write vbBinaryCompare or vbTextCompare."),
    ('ToLower([a], "tr_TR")', 1, 14, "is no culture name"),
    ('Split([a], "")', 1, 12, "the delimiter is empty"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), ERRORS)
def test_an_error_says_what_is_wrong_and_where(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    error = caught.value
    assert not isinstance(error, EvaluationError)
    assert message in str(error)
    assert (error.line, error.column) == (line, column)
    assert error.excerpt is not None
    shown, caret = error.excerpt.split("\n")
    assert caret.strip() == "^"
    place = text[error.position : (error.position or 0) + 1].strip()
    assert shown[len(caret) - 1 : len(caret)].strip() == place


def test_a_long_line_is_shown_around_the_place() -> None:
    text = f'Join("{"x" * 500}", Jion([a]), "{"y" * 500}")'
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    shown, caret = (caught.value.excerpt or "").split("\n")
    assert len(shown) < 160
    assert shown[len(caret) - 1 :].startswith("Jion")


def test_ten_thousand_characters_are_the_limit() -> None:
    frame = len('Append("", "")')
    assert compile_expression(f'Append("{"x" * (MAX_TEXT - frame)}", "")').functions == {"Append"}
    with pytest.raises(ExpressionError, match="at most 10,000 are allowed"):
        compile_expression(f'Append("{"x" * (MAX_TEXT - frame + 1)}", "")')


def test_functions_may_stand_inside_each_other_up_to_a_limit() -> None:
    assert compile_expression("Not(" * MAX_DEPTH + "[a]" + ")" * MAX_DEPTH).attributes == {"a"}
    with pytest.raises(ExpressionError, match="inside each other"):
        compile_expression("Not(" * (MAX_DEPTH + 1) + "[a]" + ")" * (MAX_DEPTH + 1))
