"""A schema as Entra exports it, with 60 mappings of users: imported, and evaluated to what it should give."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from provisor.applications.schema import SyncSchema
from provisor.applications.schema_reader import read_schema
from provisor.applications.scoping import evaluate
from provisor.expressions.values import Context
from provisor.provisioning.mapping import Mappings
from provisor.provisioning.plan import Flow, Rule, difference

EXPORTED = Path(__file__).parents[2] / "data" / "entra-schema.json"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
OWN = "urn:ietf:params:scim:schemas:extension:Nordlicht:2.0:User"
PERSON: dict[str, Any] = {
    "objectId": "0d3c9b6a-7f41-4b0e-9a55-2f6f0e1c8d70",
    "accountEnabled": True,
    "userPrincipalName": "zoë.brandt@nordlicht.example",
    "mail": "zoe.brandt@nordlicht.example",
    "mailNickname": "Zoë.Brandt",
    "displayName": "Zoë Brandt",
    "givenName": "Zoë",
    "surname": "Brandt",
    "jobTitle": None,
    "department": "Research Optics",
    "companyName": None,
    "employeeId": "004217",
    "employeeType": "Employee",
    "employeeHireDate": "2024-03-31T22:00:00Z",
    "employeeLeaveDateTime": None,
    "preferredLanguage": "de-DE",
    "country": "DE",
    "city": "hamburg",
    "state": "HH",
    "streetAddress": "  Am Kai 7 ",
    "postalCode": "20 457",
    "physicalDeliveryOfficeName": "HH/2/14",
    "telephoneNumber": "+49 (40) 123-4567",
    "mobile": "+49 170 7654321",
    "proxyAddresses": ["SMTP:zoe.brandt@nordlicht.example", "smtp:zb@nordlicht.example"],
    "otherMails": ["zoe@home.example"],
    "manager": "51f0",
    "extensionAttribute1": "4711-OPT-X",
    "extensionAttribute3": "7",
    "extensionAttribute4": "glass;lasers;glass",
    "extensionAttribute5": "Brandt;Lorenz;Brandt",
    "appRoleAssignments": ["Editor"],
}

# What the mapping language's reference says that these 60 mappings give, worked out by hand.
EXPECTED = {
    "userName": "zoë.brandt@nordlicht.example",
    "active": True,
    "displayName": "Brandt, Zoë",
    "title": "Employee",
    'emails[type eq "work"].value': "zoe.brandt@nordlicht.example",
    'emails[type eq "other"].value': "zoe.brandt@nordlicht.example",
    'emails[type eq "home"].value': "zoe@home.example",
    "preferredLanguage": "de_DE",
    "locale": "de-DE",
    "timezone": "Europe/Berlin",
    "name.givenName": "Zoë",
    "name.familyName": "Brandt",
    "name.formatted": "Zoë Brandt",
    "name.honorificPrefix": "none given",
    "name.middleName": "Z",
    "nickName": "zoë.brandt",
    'addresses[type eq "work"].formatted': "HH/2/14",
    'addresses[type eq "work"].streetAddress': "Am Kai 7",
    'addresses[type eq "work"].locality': "Hamburg",
    'addresses[type eq "work"].region': "HH",
    'addresses[type eq "work"].postalCode': "20457",
    'addresses[type eq "work"].country': "DE",
    'addresses[type eq "home"].formatted': "  Am Kai 7 , hamburg",
    'phoneNumbers[type eq "work"].value': "+49401234567",
    'phoneNumbers[type eq "mobile"].value': "+49 170 7654321",
    'phoneNumbers[type eq "pager"].value': "(40) 123-456",
    "externalId": "0d3c9b6a-7f41-4b0e-9a55-2f6f0e1c8d70",
    "profileUrl": "https://people.nordlicht.example/Zoe.Brandt",
    "userType": "Employee",
    'roles[primary eq "True"].value': "Editor",
    f"{ENTERPRISE}:employeeNumber": "004217",
    f"{ENTERPRISE}:department": "Research Optics",
    f"{ENTERPRISE}:costCenter": "4711",
    f"{ENTERPRISE}:division": "OPT",
    f"{ENTERPRISE}:organization": "Nordlicht",
    f"{OWN}:hireDate": "2024-03-31",
    f"{OWN}:probationEnds": "2024-09-30T22:00:00Z",
    f"{OWN}:badge": "004217",
    f"{OWN}:initials": "ZB",
    f"{OWN}:accountName": "ZBrandt",
    f"{OWN}:homeOffice": True,
    f"{OWN}:grade": 7,
    f"{OWN}:nameLength": 10,
    f"{OWN}:group": "Research",
    f"{OWN}:aliases": ["SMTP:zoe.brandt@nordlicht.example", "smtp:zb@nordlicht.example"],
    f"{OWN}:skills": ["glass", "lasers", "glass"],
    f"{OWN}:skillCount": 3,
    f"{OWN}:domain": "nordlicht.example",
    f"{OWN}:legalName": ["Brandt", "Lorenz"],
    f"{OWN}:contract": "permanent",
    f"{OWN}:blocked": False,
    f"{OWN}:office": "HH-2-14",
    f"{OWN}:site": "Hamburg",
    f"{OWN}:region": "north",
    f"{OWN}:company": "Nordlicht Fabrik",
    f"{OWN}:source": "directory",
}
# Mapped, and empty at the source: nothing to send.
EMPTY = {'phoneNumbers[type eq "fax"].value', f"{OWN}:leaveDate", f"{OWN}:voicemail", f"{ENTERPRISE}:manager"}
CONTEXT = Context(
    now_ms=lambda: 0,
    random=random.Random(1),
    uuid=lambda: "guid",
    is_taken=lambda value: value == "Zoë.Brandt",
)


@pytest.fixture(scope="module")
def schema() -> SyncSchema:
    return read_schema(json.loads(EXPORTED.read_text("utf-8")))


@pytest.fixture(scope="module")
def mappings(schema: SyncSchema) -> Mappings:
    return Mappings.of("User", schema.user, CONTEXT)


def rule(mappings: Mappings) -> Rule:
    return mappings.rule(soft_delete=True, skip_out_of_scope=False, fixed=frozenset())


def test_all_of_it_is_read(schema: SyncSchema) -> None:
    assert len(schema.user.attribute_mappings) == 60
    assert [row.target for row in schema.user.matching] == ["userName", "externalId", 'emails[type eq "work"].value']
    assert schema.group is not None
    assert len(schema.group.attribute_mappings) == 3


def test_every_mapping_gives_its_value(mappings: Mappings) -> None:
    assert mappings.desired(PERSON.get, soft_deleted=False, creating=True) == EXPECTED
    assert EXPECTED.keys() | EMPTY == {row.target for row in mappings.mapping.attribute_mappings}


def test_once_created_nothing_is_sent_but_what_always_flows(mappings: Mappings) -> None:
    desired = mappings.desired(PERSON.get, soft_deleted=False, creating=False)
    changes, _ = difference(desired, EXPECTED, rule(mappings))
    assert [(change.path, change.new) for change in changes] == [(f"{OWN}:grade", 7)]


def test_the_flow_types_are_those_of_the_document(mappings: Mappings) -> None:
    found = rule(mappings)
    assert found.flows == {
        "name.honorificPrefix": Flow.FILL,
        f"{OWN}:badge": Flow.FILL,
        f"{OWN}:aliases": Flow.ADD,
        f"{OWN}:skills": Flow.ADD,
    }
    assert {"timezone", f"{OWN}:accountName"}.isdisjoint(found.always)
    assert f"{OWN}:source" in found.keeps


def test_the_scoping_filter_tells_what_it_saw(schema: SyncSchema) -> None:
    verdict = evaluate(schema.user.scope, PERSON.get)
    assert verdict.passed
    assert [(one.group, one.clause.attribute, one.value, one.passed) for one in verdict.reasons] == [
        ("People of the north", "country", "DE", True),
        ("People of the north", "employeeId", "004217", True),
        ("People of the north", "department", "Research Optics", True),
        ("Board", "jobTitle", None, False),
    ]
    assert not evaluate(schema.user.scope, {**PERSON, "country": "AT"}.get).passed
