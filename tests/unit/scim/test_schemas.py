"""Schemas: the RFC's, a company's own, names in every spelling, and the discovery documents."""

from __future__ import annotations

import pytest
from scim2_models import EnterpriseUser, Group, ResourceType, Schema, ServiceProviderConfig, User

from provisor.scim.dialect import UnknownDialect, dialect, dialect_names
from provisor.scim.discovery import (
    AuthenticationScheme,
    Features,
    resource_type_documents,
    schema_documents,
    service_provider_config,
)
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import GROUP_URN, USER_URN, BrokenSchema, core, fold

BASE = "https://app.example/scim/v2"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("userName", "username"),
        ("USERNAME", "username"),
        (f"{USER_URN}:userName", "username"),
        ("name.givenName", "name.givenname"),
        (f"{USER_URN}:name.givenName", "name.givenname"),
        ("externalId", "externalid"),
        ("meta.lastModified", "meta.lastmodified"),
        (f"{ENT}:manager.value", f"{ENT.lower()}:manager.value"),
        (f"{ENT.upper()}.DEPARTMENT", f"{ENT.lower()}:department"),
        ("groups.$ref", "groups.$ref"),
    ],
)
def test_a_path_names_one_attribute_in_every_spelling(path, key):
    found = core().find("User", path)
    assert found is not None
    assert found.key == key


def test_what_is_no_path_names_nothing():
    for path in ("", "shoe", "name.shoe", ENT, "manager", "members", f"{GROUP_URN}:displayName", "userName.value"):
        assert core().find("User", path) is None


def test_an_extensions_attribute_goes_by_its_bare_name_only_if_nothing_else_does():
    def extension(urn, *names):
        return {"id": urn, "attributes": [{"name": name} for name in names]}

    assert core().find("User", "department", bare=True).container == ENT
    own = extension("urn:example:1.0:User", "department", "title", "badge")
    schemas = core().extend([own], {"User": {"urn:example:1.0:User": False}})
    assert schemas.find("User", "department", bare=True) is None
    assert schemas.find("User", "title", bare=True).container is None
    assert schemas.find("User", "badge", bare=True).container == "urn:example:1.0:User"
    assert core().find("User", "badge", bare=True) is None


def test_folding_is_unicodes():
    assert fold("Straße") == fold("STRASSE")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"id": "not a urn", "attributes": [{"name": "a"}]},
        {"id": "urn:x:y[1]", "attributes": [{"name": "a"}]},
        {"id": "urn:x:y"},
        {"id": "urn:x:y", "attributes": []},
        {"id": "urn:x:y", "attributes": ["a"]},
        {"id": "urn:x:y", "attributes": [{"name": "a b"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a.b"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a"}, {"name": "A"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "type": "array"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "mutability": "never"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "returned": "sometimes"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "uniqueness": "local"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "multiValued": "yes"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "canonicalValues": "x"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "type": "complex"}]},
        {"id": "urn:x:y", "attributes": [{"name": "a", "subAttributes": [{"name": "b"}]}]},
        {
            "id": "urn:x:y",
            "attributes": [
                {
                    "name": "a",
                    "type": "complex",
                    "subAttributes": [{"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}],
                }
            ],
        },
        {"id": USER_URN, "attributes": [{"name": "a"}]},
    ],
)
def test_a_broken_schema_is_refused(schema):
    with pytest.raises(BrokenSchema):
        core().extend([schema])


def test_an_extension_needs_its_type_and_its_schema():
    with pytest.raises(BrokenSchema, match="Printer"):
        core().extend([], {"Printer": {ENT: False}})
    with pytest.raises(BrokenSchema, match="urn:x:none"):
        core().extend([], {"User": {"urn:x:none": False}})


def test_extending_leaves_the_core_as_it_was():
    core().extend([{"id": "urn:x:y", "attributes": [{"name": "a"}]}], {"Group": {"urn:x:y": True}})
    assert core().schema("urn:x:y") is None
    assert core().find("Group", "urn:x:y:a") is None


# --- discovery -------------------------------------------------------------------------------------------------------


def nulls(value):
    if isinstance(value, dict):
        return [key for key, item in value.items() if item is None] + [
            n for item in value.values() for n in nulls(item)
        ]
    return [n for item in value for n in nulls(item)] if isinstance(value, list) else []


def test_schemas_are_those_of_scim2_models_attribute_by_attribute():
    documents = {document["id"]: document for document in schema_documents(core(), BASE)}
    assert list(documents) == [USER_URN, GROUP_URN, ENT]
    assert nulls(list(documents.values())) == []
    for model in (User, Group, EnterpriseUser):
        theirs = model.to_schema()
        ours = Schema.model_validate(documents[theirs.id])
        assert [a.name for a in ours.attributes] == [a.name for a in theirs.attributes]
        for mine, other in zip(ours.attributes, theirs.attributes, strict=True):
            assert (mine.type, mine.multi_valued, bool(mine.required)) == (
                other.type,
                other.multi_valued,
                bool(other.required),
            )
            assert (mine.mutability, mine.returned, mine.case_exact) == (
                other.mutability,
                other.returned,
                other.case_exact,
            )
            assert {s.name for s in mine.sub_attributes or []} == {s.name for s in other.sub_attributes or []}


def test_a_companys_schema_comes_back_as_it_was_given():
    given = {
        "id": "urn:example:1.0:User",
        "name": "Badge",
        "description": "d",
        "attributes": [
            {
                "name": "number",
                "type": "string",
                "multiValued": False,
                "description": "n",
                "required": True,
                "canonicalValues": ["a", "b"],
                "caseExact": True,
                "mutability": "immutable",
                "returned": "request",
                "uniqueness": "server",
            }
        ],
    }
    schemas = core().extend([given], {"User": {given["id"]: True}})
    document = schema_documents(schemas, BASE)[-1]
    assert {key: document[key] for key in given} == given
    assert document["meta"]["location"] == f"{BASE}/Schemas/{given['id']}"
    kind = resource_type_documents(schemas, BASE)[0]
    assert kind["schemaExtensions"] == [{"schema": ENT, "required": False}, {"schema": given["id"], "required": True}]


def test_resource_types_are_valid_and_name_their_endpoints():
    user, group = (ResourceType.model_validate(document) for document in resource_type_documents(core(), BASE))
    assert (str(user.endpoint), str(user.schema_)) == ("/Users", USER_URN)
    assert (str(group.endpoint), group.schema_extensions) == ("/Groups", [])


def test_the_service_provider_config_is_valid_and_without_nulls():
    features = Features(
        authentication=[AuthenticationScheme("oauthbearertoken", "API key", "A key of the company", primary=True)],
        filter_max_results=200,
        default_page_size=100,
        max_page_size=200,
        etag=True,
    )
    document = service_provider_config(features, BASE)
    config = ServiceProviderConfig.model_validate(document)
    assert nulls(document) == []
    assert config.patch.supported
    assert config.etag.supported
    assert not config.bulk.supported
    assert config.filter.max_results == 200


# --- dialects --------------------------------------------------------------------------------------------------------


def test_there_are_two_tolerant_dialects_and_a_strict_one():
    assert dialect_names() == ("entra", "lenient", "rfc")
    assert dialect() is dialect("entra")
    with pytest.raises(UnknownDialect, match="entra, lenient, rfc"):
        dialect("okta")
