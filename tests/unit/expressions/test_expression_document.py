"""docs/reference/expressions.md is what the function table says, and its examples hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisor.expressions.document import document
from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.all import FUNCTIONS, GROUPS
from provisor.expressions.functions.table import Example

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "expressions.md"
INDEX = (  # entra-expressions.md §2
    "Append AppRoleAssignments AppRoleAssignmentsComplex AssertiveAppRoleAssignmentsComplex BitAnd CBool CDate "
    "Coalesce Contains ConvertFromBase64 ConvertToBase64 ConvertToUTF8Hex Count CStr DateAdd DateDiff DateFromNum "
    "DefaultDomain DNComponent Error FormatDateTime Guid IgnoreFlowIfNullOrEmpty IIF InStr IsNull IsNullOrEmpty "
    "IsPresent IsString Item Join Left Len Mid NormalizeDiacritics Not Now NumFromDate PCase RandomString Redact "
    "RemoveDuplicates Replace SelectUniqueValue SingleAppRoleAssignment Split StringFromSid StripSpaces Switch "
    "ToLower ToUpper Trim Word"
)


def test_the_page_is_current() -> None:
    remedy = "run: python -m provisor.expressions.document > docs/reference/expressions.md"
    assert PAGE.read_text(encoding="utf-8") == document(), remedy


def test_every_function_of_entras_index_is_there() -> None:
    assert set(FUNCTIONS) == set(INDEX.split())
    assert sum(map(len, GROUPS.values())) == len(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_explained_with_examples(name: str) -> None:
    entry = FUNCTIONS[name]
    assert entry.doc
    assert entry.examples
    assert all(name in example.text for example in entry.examples)


@pytest.mark.parametrize("example", [e for entry in FUNCTIONS.values() for e in entry.examples], ids=lambda e: e.text)
def test_the_examples_of_the_page_hold(example: Example, evaluate: Callable[..., Any]) -> None:
    if example.result is EvaluationError:
        with pytest.raises(EvaluationError):
            evaluate(example.text, example.attributes)
        return
    assert evaluate(example.text, example.attributes) == example.result
