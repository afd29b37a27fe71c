"""Processing: functions over several values (reference entra-expressions.md §3.3)."""

from __future__ import annotations

from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Example, Function, Parameter, strict
from provisor.expressions.values import Value, to_int


def _values(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _item(attribute: Value, index: Value) -> Value:
    values, number = _values(attribute), to_int(index, "index")
    if not 1 <= number <= len(values):
        raise EvaluationError(
            f"there is no value {number}; there {'is' if len(values) == 1 else 'are'} {len(values)}, counted from 1.",
            hint="Guard it: IIF(Count([attribute]) >= 2, Item([attribute], 2), ...).",
        )
    return values[number - 1]


def _remove_duplicates(attribute: Value) -> list[Value]:
    kept: list[Value] = []
    seen: set[object] = set()
    for value in _values(attribute):
        key = repr(value) if isinstance(value, dict | list) else (type(value), value)
        if key not in seen:
            seen.add(key)
            kept.append(value)
    return kept


_ATTRIBUTE = Parameter("attribute", doc="A multi-valued attribute; one value alone is a list of one.")

MULTIVALUE: tuple[Function, ...] = (
    Function(
        "Count",
        (Parameter("attribute", nullable=True, doc="A multi-valued attribute; one value alone is a list of one."),),
        "How many values there are; 0 for null.",
        strict(lambda attribute: len(_values(attribute)), when_null=0),
        (Example("Count([proxyAddresses])", 2, {"proxyAddresses": ["a", "b"]}), Example("Count([proxyAddresses])", 0)),
        returns="Integer",
    ),
    Function(
        "Item",
        (_ATTRIBUTE, Parameter("index", type="Integer", doc="Counted from 1.")),
        "One of the values. Fails where there are fewer.",
        strict(_item),
        (
            Example("Item([proxyAddresses], 1)", "a", {"proxyAddresses": ["a", "b"]}),
            Example("Item([proxyAddresses], 3)", EvaluationError, {"proxyAddresses": ["a", "b"]}),
        ),
        returns=None,
    ),
    Function(
        "RemoveDuplicates",
        (_ATTRIBUTE,),
        "The values without repetitions, in their order. Case counts.",
        strict(_remove_duplicates),
        (Example("RemoveDuplicates([a])", ["x", "X", "y"], {"a": ["x", "X", "x", "y"]}),),
        returns=None,
        multivalued=True,
    ),
)
