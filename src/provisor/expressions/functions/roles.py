"""Processing: app roles, and values that are unique in the target (reference entra-expressions.md §3.6, §3.7).

The attribute ``appRoleAssignments`` holds a text per role, or a dict with ``value`` and ``displayName``. Whether
complex roles are added to the target's or take their place is the engine's to know, by the function's name.
"""

from __future__ import annotations

from typing import Any

from provisor.expressions.errors import EvaluationError
from provisor.expressions.functions.table import Call, Example, Function, Parameter, strict
from provisor.expressions.values import Context, Evaluator, Get, Value, is_empty, shown, to_text

ROLE_TYPE = "WindowsAzureActiveDirectoryRole"


def _roles(value: Value) -> list[tuple[str, str]]:
    """Value and display name per role."""
    roles: list[tuple[str, str]] = []
    for role in value if isinstance(value, list) else [value]:
        if isinstance(role, dict):
            name = to_text(role.get("value")) or to_text(role.get("displayName"))
            roles.append((name, to_text(role.get("displayName")) or name))
        else:
            roles.append((to_text(role), to_text(role)))
    return [(name, display) for name, display in roles if name]


def _single(value: Value) -> Value:
    roles = _roles(value)
    return roles[0][0] if roles else None


def _names(value: Value) -> Value:
    return [name for name, _ in _roles(value)] or None


def _complex(value: Value) -> Value:
    roles: list[dict[str, Any]] = [
        {"primary": False, "type": ROLE_TYPE, "display": display, "value": name} for name, display in _roles(value)
    ]
    return roles


def _build_unique(call: Call) -> Evaluator:
    rules = [rule for rule in call.arguments if rule is not None]
    if len(rules) < 2:
        raise call.refusal("SelectUniqueValue needs at least two rules.", hint="The first value that is free is taken.")

    def evaluate(get: Get, context: Context) -> Value:
        if context.is_taken is None:
            raise EvaluationError(
                "nobody can say here which values the target has.",
                hint="SelectUniqueValue only works in a mapping that is applied on creation.",
            )
        tried: list[str] = []
        for rule in rules:
            value = rule(get, context)
            if is_empty(value):
                continue
            tried.append(to_text(value))
            if not context.is_taken(tried[-1]):
                return tried[-1]
        if not tried:
            return None
        raise EvaluationError(
            f"all {len(tried)} values are taken in the target, the last is {shown(tried[-1])}.", hint="Add a rule."
        )

    return evaluate


_SOURCE = Parameter("source", nullable=True, doc="[appRoleAssignments]")
_ADMIN = {"appRoleAssignments": ["Admin", "User"]}
_OBJECTS = [
    {"primary": False, "type": ROLE_TYPE, "display": "Admin", "value": "Admin"},
    {"primary": False, "type": ROLE_TYPE, "display": "User", "value": "User"},
]

ROLES: tuple[Function, ...] = (
    Function(
        "AppRoleAssignments",
        (_SOURCE,),
        "The names of all assigned roles.",
        strict(_names),
        (Example("AppRoleAssignments([appRoleAssignments])", ["Admin", "User"], _ADMIN),),
        multivalued=True,
    ),
    Function(
        "AppRoleAssignmentsComplex",
        (_SOURCE,),
        "All assigned roles as complex values, which are added to the target's.",
        strict(_complex, when_null=[]),
        (Example("AppRoleAssignmentsComplex([appRoleAssignments])", _OBJECTS, _ADMIN),),
        returns="Complex",
        multivalued=True,
    ),
    Function(
        "AssertiveAppRoleAssignmentsComplex",
        (_SOURCE,),
        "All assigned roles as complex values, which take the place of the target's.",
        strict(_complex, when_null=[]),
        (Example("AssertiveAppRoleAssignmentsComplex([appRoleAssignments])", _OBJECTS, _ADMIN),),
        returns="Complex",
        multivalued=True,
    ),
    Function(
        "SingleAppRoleAssignment",
        (_SOURCE,),
        "The name of the one assigned role; of several, the first.",
        strict(_single),
        (Example("SingleAppRoleAssignment([appRoleAssignments])", "Admin", _ADMIN),),
    ),
    Function(
        "SelectUniqueValue",
        (Parameter("rule", repeating=True, nullable=True, doc="A value to try."),),
        "The first value that no object in the target has. Fails where all are taken. Never inside another function.",
        _build_unique,
        (
            Example(
                'SelectUniqueValue(Join(".", [givenName], [surname]), Join(".", Left([givenName], 1), [surname]))',
                "J.Smith",
                {"givenName": "John", "surname": "Smith"},
                note="John.Smith is taken",
            ),
        ),
        top_level_only=True,
    ),
)
