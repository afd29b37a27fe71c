"""What the mappings of one user cost, beside a function written by hand, and what a scoping filter costs.

scripts/bench mapping [--rounds N]

The 22 default mappings and the function make the same dict of target attributes from the same user, the filter and its
function pass the same users; the run checks both. CPU time of one thread; the best of several rounds, as the others
only add what the machine does besides. Goals: under 60 µs a user and at most 4 times by hand; 100,000 users against a
filter of 5 clauses under 1 s.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from provisor.applications.scoping import Clause, Group, Scope, evaluate, find_operator
from provisor.expressions.compile import Expression, attribute
from provisor.expressions.compile import compile as compile_expression
from provisor.expressions.values import Context

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# reference entra-provisioning-service.md §9.1, in its order
DIRECT = {
    "userName": "userPrincipalName",
    "displayName": "displayName",
    "title": "jobTitle",
    'emails[type eq "work"].value': "mail",
    "preferredLanguage": "preferredLanguage",
    "name.givenName": "givenName",
    "name.familyName": "surname",
    'addresses[type eq "work"].formatted': "physicalDeliveryOfficeName",
    'addresses[type eq "work"].streetAddress': "streetAddress",
    'addresses[type eq "work"].locality': "city",
    'addresses[type eq "work"].region': "state",
    'addresses[type eq "work"].postalCode': "postalCode",
    'addresses[type eq "work"].country': "country",
    'phoneNumbers[type eq "work"].value': "telephoneNumber",
    'phoneNumbers[type eq "mobile"].value': "mobile",
    'phoneNumbers[type eq "fax"].value': "facsimileTelephoneNumber",
    "externalId": "mailNickname",
    f"{ENTERPRISE}:employeeNumber": "employeeId",
    f"{ENTERPRISE}:department": "department",
    f"{ENTERPRISE}:manager": "manager",
}
FUNCTIONS = {
    "active": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    "name.formatted": 'Join(" ", [givenName], [surname])',
}
USER: dict[str, Any] = {
    **{name: f"the {name}" for name in DIRECT.values()},
    "IsSoftDeleted": False,
    "facsimileTelephoneNumber": None,
}
CLAUSES = (
    ("department", "NOT EQUALS", "Facilities"),
    ("country", "EQUALS", "DE"),
    ("employeeId", "REGEX MATCH", "^[0-9]{6}$"),
    ("jobTitle", "Includes", "Engineer"),
    ("accountEnabled", "IS TRUE", ""),
)
USERS = 100_000
GOAL_US, GOAL_RATIO, GOAL_FILTER_S = 60.0, 4.0, 1.0


def compiled() -> list[tuple[str, Expression]]:
    mappings = [(target, attribute(source)) for target, source in DIRECT.items()]
    mappings += [(target, compile_expression(text)) for target, text in FUNCTIONS.items()]
    assert len(mappings) == 22
    return mappings


def by_mappings(mappings: list[tuple[str, Expression]], get: Callable[[str], Any], context: Context) -> dict[str, Any]:
    return {target: mapping.evaluate(get, context) for target, mapping in mappings}


def by_hand(get: Callable[[str], Any]) -> dict[str, Any]:
    given, family = get("givenName"), get("surname")
    deleted = get("IsSoftDeleted")
    text = deleted if isinstance(deleted, str) else str(deleted)
    return {
        "userName": get("userPrincipalName"),
        "displayName": get("displayName"),
        "title": get("jobTitle"),
        'emails[type eq "work"].value': get("mail"),
        "preferredLanguage": get("preferredLanguage"),
        "name.givenName": given,
        "name.familyName": family,
        'addresses[type eq "work"].formatted': get("physicalDeliveryOfficeName"),
        'addresses[type eq "work"].streetAddress': get("streetAddress"),
        'addresses[type eq "work"].locality': get("city"),
        'addresses[type eq "work"].region': get("state"),
        'addresses[type eq "work"].postalCode': get("postalCode"),
        'addresses[type eq "work"].country': get("country"),
        'phoneNumbers[type eq "work"].value': get("telephoneNumber"),
        'phoneNumbers[type eq "mobile"].value': get("mobile"),
        'phoneNumbers[type eq "fax"].value': get("facsimileTelephoneNumber"),
        "externalId": get("mailNickname"),
        f"{ENTERPRISE}:employeeNumber": get("employeeId"),
        f"{ENTERPRISE}:department": get("department"),
        f"{ENTERPRISE}:manager": get("manager"),
        "active": "True" if text == "False" else "False" if text == "True" else None,
        "name.formatted": " ".join(part for part in (given, family) if part) or None,
    }


def scope() -> Scope:
    clauses = []
    for name, operator_name, value in CLAUSES:
        operator = find_operator(operator_name)
        assert operator is not None
        clauses.append(Clause(name, operator, value))
    return Scope((Group("Engineers in Germany", tuple(clauses)),))


def users() -> list[dict[str, Any]]:
    return [
        {
            "department": "Research" if number % 3 else "Facilities",
            "country": "DE" if number % 2 else "FR",
            "employeeId": f"{number:06d}",
            "jobTitle": "Optics Engineer" if number % 5 else None,
            "accountEnabled": number % 7 != 0,
        }
        for number in range(USERS)
    ]


def passed_by_hand(found: list[dict[str, Any]]) -> int:
    digits = re.compile("^[0-9]{6}$")
    return sum(
        user["department"] != "Facilities"
        and user["country"] == "DE"
        and digits.search(user["employeeId"]) is not None
        and "Engineer" in (user["jobTitle"] or "")
        and user["accountEnabled"] is True
        for user in found
    )


def passed(filter_: Scope, found: list[dict[str, Any]]) -> int:
    """Every clause of every user is judged and kept, for the explanation."""
    return sum(evaluate(filter_, user.get).passed for user in found)


def microseconds(work: Callable[[], object], rounds: int, times: int = 2_000) -> float:
    """CPU time of one call, the best round's."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(times):
            work()
        best = min(best, time.process_time() - start)
    return best / times * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured")
    rounds = parser.parse_args().rounds
    context = Context(
        now_ms=lambda: time.time_ns() // 1_000_000, random=random.SystemRandom(), uuid=lambda: str(uuid.uuid4())
    )
    mappings = compiled()
    assert by_mappings(mappings, USER.get, context) == by_hand(USER.get)

    ours = microseconds(lambda: by_mappings(mappings, USER.get, context), rounds)
    hand = microseconds(lambda: by_hand(USER.get), rounds)
    compiling = microseconds(compiled, 3, 20)
    print(f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print("22 default user mappings, one user, CPU time of one thread:")
    print(f"  compiled mappings  {ours:8.2f} µs   (goal: under {GOAL_US:g})")
    print(f"  written by hand    {hand:8.2f} µs")
    print(f"  ratio              {ours / hand:8.2f}      (goal: at most {GOAL_RATIO:g})")
    print(f"  compiling them     {compiling:8.2f} µs, once per schema version")

    filter_, everybody = scope(), users()
    assert passed(filter_, everybody) == passed_by_hand(everybody) > 0
    seconds = microseconds(lambda: passed(filter_, everybody), 3, 1) / 1e6
    hand_seconds = microseconds(lambda: passed_by_hand(everybody), 3, 1) / 1e6
    print(f"{USERS:,} users against a filter of {len(CLAUSES)} clauses, every verdict kept:")
    print(f"  compiled filter    {seconds:8.3f} s    (goal: under {GOAL_FILTER_S:g})")
    print(f"  written by hand    {hand_seconds:8.3f} s    (stops at the first clause that fails, keeps nothing)")
    print(f"  ratio              {seconds / hand_seconds:8.2f}")
    return 0 if ours < GOAL_US and ours <= GOAL_RATIO * hand and seconds < GOAL_FILTER_S else 1


if __name__ == "__main__":
    sys.exit(main())
