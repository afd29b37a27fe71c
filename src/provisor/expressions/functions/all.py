"""Processing: the table of all functions, by name."""

from __future__ import annotations

from provisor.expressions.functions.conditional import CONDITIONAL
from provisor.expressions.functions.dates import DATES
from provisor.expressions.functions.multivalue import MULTIVALUE
from provisor.expressions.functions.numbers import NUMBERS
from provisor.expressions.functions.replace import REPLACE
from provisor.expressions.functions.roles import ROLES
from provisor.expressions.functions.table import Function
from provisor.expressions.functions.text import TEXT

GROUPS: dict[str, tuple[Function, ...]] = {
    "Text": tuple(sorted((*TEXT, REPLACE), key=lambda entry: entry.name)),
    "Conditions and nulls": CONDITIONAL,
    "Several values": MULTIVALUE,
    "Numbers, encodings, identity": NUMBERS,
    "Dates": DATES,
    "Roles and unique values": ROLES,
}
"""The functions by group, in the order of the documentation."""

FUNCTIONS: dict[str, Function] = {entry.name: entry for group in GROUPS.values() for entry in group}
"""The functions by name. Names are case-sensitive, as in Entra."""
