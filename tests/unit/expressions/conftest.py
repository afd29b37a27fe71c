"""What the tests of expressions share: a context without surprises, and an evaluation in one call."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.values import Context

NOW_MS = 1_600_000_000_000  # 2020-09-13T12:26:40Z
Evaluate = Callable[..., Any]


@pytest.fixture
def context() -> Context:
    numbers = itertools.count(1)
    return Context(
        now_ms=lambda: NOW_MS,
        random=random.Random(7),
        uuid=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
        default_domain="contoso.com",
        is_taken=lambda value: value == "John.Smith",
    )


@pytest.fixture
def evaluate(context: Context) -> Evaluate:
    """``evaluate(text, attributes)``: the value of an expression for an object with these attributes."""

    def run(text: str, attributes: Mapping[str, Any] | None = None) -> Any:
        return compile_expression(text).evaluate((attributes or {}).get, context)

    return run
