"""The gallery's entries, and the synchronization schema that is made of them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from provisor.applications import gallery
from provisor.applications.directories import GROUP, USER
from provisor.applications.errors import TemplateNotFound
from provisor.applications.schema_reader import read_schema
from provisor.connector.capabilities import CapabilityProfile

JOB = "scim.f5532fc709734b1a90e8a1fa9fd03a82.8442fd39-2183-419c-8732-74b6ce866bd5"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# reference entra-provisioning-service.md section 9.1, in its order
SCIM_USER_ROWS = [
    ("[userPrincipalName]", "userName"),
    ('Switch([IsSoftDeleted], , "False", "True", "True", "False")', "active"),
    ("[displayName]", "displayName"),
    ("[jobTitle]", "title"),
    ("[mail]", 'emails[type eq "work"].value'),
    ("[preferredLanguage]", "preferredLanguage"),
    ("[givenName]", "name.givenName"),
    ("[surname]", "name.familyName"),
    ('Join(" ", [givenName], [surname])', "name.formatted"),
    ("[physicalDeliveryOfficeName]", 'addresses[type eq "work"].formatted'),
    ("[streetAddress]", 'addresses[type eq "work"].streetAddress'),
    ("[city]", 'addresses[type eq "work"].locality'),
    ("[state]", 'addresses[type eq "work"].region'),
    ("[postalCode]", 'addresses[type eq "work"].postalCode'),
    ("[country]", 'addresses[type eq "work"].country'),
    ("[telephoneNumber]", 'phoneNumbers[type eq "work"].value'),
    ("[mobile]", 'phoneNumbers[type eq "mobile"].value'),
    ("[facsimileTelephoneNumber]", 'phoneNumbers[type eq "fax"].value'),
    ("[mailNickname]", "externalId"),
    ("[employeeId]", f"{ENTERPRISE}:employeeNumber"),
    ("[department]", f"{ENTERPRISE}:department"),
    ("[manager]", f"{ENTERPRISE}:manager"),
]
GROUP_ROWS = [("[displayName]", "displayName"), ("[objectId]", "externalId"), ("[members]", "members")]


def rows(document: dict[str, Any], index: int) -> list[tuple[str, str]]:
    [mapping] = document["synchronizationRules"][index]["objectMappings"]
    return [(row["source"]["expression"], row["targetAttributeName"]) for row in mapping["attributeMappings"]]


def test_the_generic_app_has_the_references_22_user_rows_and_3_group_rows_in_order() -> None:
    document = gallery.template("scim").default_schema(JOB)
    assert rows(document, 0) == SCIM_USER_ROWS
    assert rows(document, 1) == GROUP_ROWS


def test_dialpad_has_its_address_and_says_that_groups_cannot_be_renamed() -> None:
    template = gallery.template("dialpad")
    assert template.tenant_url == "https://dialpad.com/scim"
    assert not CapabilityProfile.from_dict(template.capabilities).group_rename


def test_dialpads_stand_in_is_a_part_of_the_generic_table() -> None:
    document = gallery.template("dialpad").default_schema(JOB)
    generic = iter(SCIM_USER_ROWS)
    assert all(row in generic for row in rows(document, 0))
    assert [target for _, target in rows(document, 0)] == [
        "userName",
        "active",
        "displayName",
        'emails[type eq "work"].value',
        "name.givenName",
        "name.familyName",
        'phoneNumbers[type eq "work"].value',
        'phoneNumbers[type eq "mobile"].value',
        f"{ENTERPRISE}:department",
    ]
    assert rows(document, 1) == GROUP_ROWS


@pytest.mark.parametrize("template", gallery.templates().values(), ids=lambda template: template.id)
def test_every_entry_is_usable(template: gallery.Template) -> None:
    document = template.default_schema(JOB)
    schema = read_schema(document)
    CapabilityProfile.from_dict(template.capabilities)
    assert [row.target for row in schema.user.matching] in (["userName"], ["externalId"])
    if schema.group is not None:
        assert [row.target for row in schema.group.matching] in (["displayName"], ["externalId"])
    assert [role.display_name for role in template.app_roles] == ["User"]
    assert [field.name for field in template.configuration_fields if field.secret] == ["SecretToken"]
    assert template.requires("BaseAddress")
    assert msgspec.json.decode(msgspec.json.encode(document)) == document


def test_dialpad_and_any_scim_app_come_first_and_fourteen_others_follow() -> None:
    ids = list(gallery.templates())
    assert ids[:2] == ["dialpad", "scim"]
    assert len(ids) >= 2 + 14
    names = [gallery.template(id_).display_name.casefold() for id_ in ids[2:]]
    assert names == sorted(names)


@pytest.mark.parametrize("template", list(gallery.templates().values())[2:], ids=lambda template: template.id)
def test_a_real_app_says_where_it_is_what_opens_it_and_who_says_so(template: gallery.Template) -> None:
    assert template.categories
    assert template.credential
    assert template.tenant_url_form.startswith("https://")
    assert template.tenant_url in ("", template.tenant_url_form) or "{" not in template.tenant_url
    assert ("{" in template.tenant_url_form) == (template.tenant_url == "")
    assert template.sources
    for source in template.sources:
        assert source.url.startswith("https://")
        assert any(year in source.date for year in ("2022", "2023", "2024", "2025", "2026"))
    profile = CapabilityProfile.from_dict(template.capabilities)
    assert profile.groups == (template.group is not None)
    if template.group is not None:
        assert profile.group_create == ("Add" in template.group.actions)
        assert profile.group_delete == ("Delete" in template.group.actions)
    # What the profile says is not taken is not mapped either.
    assert not {row.target for row in template.user.mappings} & profile.unsupported_attributes


def test_the_schema_has_the_shape_of_graphs() -> None:
    document = gallery.template("scim").default_schema(JOB)
    assert document["id"] == JOB
    assert document.keys() == {"id", "version", "synchronizationRules", "directories"}
    assert [rule["name"] for rule in document["synchronizationRules"]] == ["USER_OUTBOUND_USER", "GROUP_OUTBOUND_GROUP"]
    assert [directory["name"] for directory in document["directories"]] == ["Microsoft Entra ID", "scim"]
    assert [kind["name"] for kind in document["directories"][0]["objects"]] == ["User", "Group"]
    assert [kind["name"] for kind in document["directories"][1]["objects"]] == [USER, GROUP]
    for directory in document["directories"]:
        for kind in directory["objects"]:
            assert sum(attribute["anchor"] for attribute in kind["attributes"]) == 1
    [mapping] = document["synchronizationRules"][0]["objectMappings"]
    assert mapping["attributeMappings"][0] == {
        "targetAttributeName": "userName",
        "matchingPriority": 1,
        "flowType": "Always",
        "flowBehavior": "FlowWhenChanged",
        "defaultValue": None,
        "exportMissingReferences": False,
        "source": {
            "expression": "[userPrincipalName]",
            "name": "userPrincipalName",
            "type": "Attribute",
            "parameters": [],
        },
    }
    assert {
        "anchor": True,
        "apiExpressions": [],
        "caseExact": False,
        "defaultValue": None,
        "flowNullValues": False,
        "metadata": [],
        "multivalued": False,
        "mutability": "ReadOnly",
        "name": "objectId",
        "referencedObjects": [],
        "required": False,
        "type": "String",
    } in document["directories"][0]["objects"][0]["attributes"]


def test_names_that_other_programs_read_are_texts_everywhere() -> None:
    # reference graph-synchronization-api.md section 18: never null
    document = gallery.template("scim").default_schema(JOB)
    for rule in document["synchronizationRules"]:
        texts = [rule["sourceDirectoryName"], rule["targetDirectoryName"]]
        for mapping in rule["objectMappings"]:
            texts += [mapping["sourceObjectName"], mapping["targetObjectName"]]
            for row in mapping["attributeMappings"]:
                texts += [row["targetAttributeName"], *(row["source"][key] for key in ("name", "expression", "type"))]
        assert all(isinstance(text, str) and text for text in texts)


def test_restoring_the_defaults_of_a_job_keeps_its_ids_and_another_job_has_others() -> None:
    template = gallery.template("scim")
    assert template.default_schema(JOB) == template.default_schema(JOB)
    one, other = (template.default_schema(job)["synchronizationRules"][0]["id"] for job in (JOB, "scim.t.a"))
    assert one != other


def test_changing_a_schema_does_not_change_the_template() -> None:
    template = gallery.template("scim")
    before = json.dumps(template.default_schema(JOB))
    template.default_schema(JOB)["directories"][0]["objects"][0]["attributes"].clear()
    assert json.dumps(template.default_schema(JOB)) == before


def test_an_unknown_app_is_named_with_those_that_there_are() -> None:
    with pytest.raises(TemplateNotFound, match=r"'unheard-of'.*dialpad, scim"):
        gallery.template("unheard-of")
