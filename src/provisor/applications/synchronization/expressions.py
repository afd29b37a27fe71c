"""Synchronization, trying an expression: Graph's ``parseExpression``. Pure.

A text that cannot be read, and a value that cannot be had, are answers and not errors (reference section 6.4).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.errors import EvaluationError, ExpressionError
from provisor.expressions.values import NO_FLOW, Context, Result, Value, to_text


@dataclass(frozen=True, slots=True)
class Parsed:
    """``source``: the JSON form, null when the text cannot be read. ``values``: null when it was not evaluated, or
    could not be; ``error`` says why."""

    source: Mapping[str, Any] | None
    values: tuple[str, ...] | None
    error: ExpressionError | None


def parse_expression(text: str, attributes: Mapping[str, Value] | None, context: Context) -> Parsed:
    """Read ``text``, and evaluate it on these attributes where there are any (null: it is read only)."""
    try:
        expression = compile_expression(text)
    except ExpressionError as error:
        return Parsed(None, None, error)
    source = expression.to_source()
    if attributes is None:
        return Parsed(source, None, None)
    try:
        result = expression.evaluate(attributes.get, context)
    except EvaluationError as error:
        return Parsed(source, None, error)
    return Parsed(source, _texts(result), None)


def _texts(result: Result) -> tuple[str, ...]:
    if result is None or result is NO_FLOW:
        return ()
    values = result if isinstance(result, list) else [result]
    return tuple(json.dumps(one, ensure_ascii=False) if isinstance(one, dict) else to_text(one) for one in values)
