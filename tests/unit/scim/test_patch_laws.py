"""What holds for every PATCH, and every POST body, whatever is sent."""

from __future__ import annotations

import copy

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, PatchOp, User

from provisor.scim.dialect import dialect
from provisor.scim.errors import ScimError
from provisor.scim.patch import Patched, compile_patcher
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import GROUP_URN, USER_URN, core
from provisor.scim.validate import Checked, compile_validator

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

words = st.sampled_from(["a", "b", "A"])
labels = st.sampled_from(["work", "home", "other"])
elements = st.fixed_dictionaries(
    {"value": words}, optional={"type": labels, "primary": st.booleans(), "display": words}
)


def at_most_one_primary(found):
    return sum(item.get("primary", False) for item in found) <= 1


element_lists = st.lists(elements, min_size=1, max_size=3).filter(at_most_one_primary)
names = st.fixed_dictionaries({}, optional={"givenName": words, "familyName": words}).filter(bool)
extensions = st.fixed_dictionaries(
    {}, optional={"department": words, "manager": st.fixed_dictionaries({"value": words})}
)
bodies = st.fixed_dictionaries(
    {"userName": words},
    optional={"title": words, "active": st.booleans(), "name": names, "roles": element_lists, ENT: extensions},
)


def canonical(body):
    return {**compile_validator(core(), "User", dialect()).create(body).resource, "id": "x"}


documents = bodies.map(canonical)

paths_and_values = st.one_of(
    st.tuples(st.sampled_from(["title", "userName", "name.givenName", f"{ENT}:department"]), words),
    st.tuples(st.just("active"), st.booleans()),
    st.tuples(st.just("name"), names),
    st.tuples(st.just("roles"), element_lists),
    st.tuples(labels.map(lambda label: f'roles[type eq "{label}"].value'), words),
    st.tuples(labels.map(lambda label: f'roles[type eq "{label}"].primary'), st.booleans()),
    st.tuples(labels.map(lambda label: f'roles[type eq "{label}"]'), elements),
    st.tuples(st.just(f"{ENT}:manager"), st.fixed_dictionaries({"value": words})),
)
assignments = st.builds(
    lambda op, target: {"op": op, "path": target[0], "value": target[1]},
    st.sampled_from(["add", "replace"]),
    paths_and_values,
)
removals = paths_and_values.map(lambda target: {"op": "remove", "path": target[0]})
operations = st.one_of(assignments, removals)


def apply(document, *given_operations, by="entra"):
    body = {"schemas": [PATCH_OP], "Operations": list(given_operations)}
    return compile_patcher(core(), "User", dialect(by)).apply(document, body)


@settings(max_examples=150, deadline=None)
@given(documents, st.lists(operations, min_size=1, max_size=4), st.sampled_from(["entra", "rfc"]))
def test_the_old_document_stays_the_new_one_is_canonical_and_changed_is_true_to_it(document, many, by):
    before = copy.deepcopy(document)
    try:
        result = apply(document, *many, by=by)
    except ScimError:
        assert document == before
        return
    assert document == before
    assert result.changed == (result.resource != document)
    assert result.resource == canonical(result.resource)
    assert sum(role.get("primary", False) for role in result.resource.get("roles", [])) <= 1


@settings(max_examples=150, deadline=None)
@given(documents, operations)
def test_the_same_operation_twice_is_the_same_as_once(document, operation):
    try:
        once = apply(document, operation).resource
    except ScimError:
        assume(False)
    again = apply(once, operation)
    assert again.resource == once
    assert not again.changed


@settings(max_examples=100, deadline=None)
@given(documents, st.lists(operations, min_size=2, max_size=4))
def test_operations_in_one_request_do_what_they_do_one_by_one(document, many):
    try:
        together = apply(document, *many).resource
    except ScimError:
        assume(False)
    for operation in many:
        document = apply(document, operation).resource
    assert document == together


@settings(max_examples=150, deadline=None)
@given(documents, st.lists(operations, min_size=1, max_size=3))
def test_what_the_strict_dialect_accepts_the_tolerant_one_does_alike(document, many):
    try:
        strict = apply(document, *many, by="rfc").resource
    except ScimError:
        assume(False)
    assert apply(document, *many).resource == strict


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["value", "type", "primary", "$ref", "Value", "x", "members"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
any_paths = st.one_of(
    st.none(),
    json_values,
    st.sampled_from(
        ["members", "manager", "name", "emails", "roles", "active", "password", "meta", "id", ENT, USER_URN]
    ),
    st.text(alphabet='emails.[] "tyqv:vlu', max_size=20),
    st.sampled_from(
        ['members[value eq "a"]', 'emails[type eq "work"].value', "emails[primary eq true]", "emails.value"]
    ),
)
any_operations = st.fixed_dictionaries(
    {},
    optional={
        "op": st.one_of(st.sampled_from(["Add", "remove", "replace"]), json_values),
        "path": any_paths,
        "value": json_values,
    },
)


def outcome(call, *arguments):
    """What a call returns, or the ScimError that it raises; anything else fails the test."""
    try:
        return call(*arguments)
    except ScimError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(st.lists(any_operations, max_size=3), st.sampled_from(["User", "Group"]), st.sampled_from(["entra", "rfc"]))
def test_whatever_is_sent_a_patch_succeeds_or_is_a_scim_error_of_the_clients(many, kind, by):
    document = {"schemas": [USER_URN], "userName": "a", "emails": [{"type": "work", "value": "a"}]}
    if kind == "Group":
        document = {"schemas": [GROUP_URN], "displayName": "g"}
    patcher = compile_patcher(core(), kind, dialect(by))
    result = outcome(patcher.apply, document, {"schemas": [PATCH_OP], "Operations": many})
    assert isinstance(result, Patched) or result.status == 400


body_keys = ["schemas", "id", "userName", "displayName", "name", "emails", "roles", "active", "members", "password"]
path_keys = [ENT, "manager", "name.givenName", "emails.value", "x", "x509Certificates", f"{ENT}:manager.value"]
any_bodies = st.dictionaries(st.sampled_from(body_keys + path_keys), json_values, max_size=6)


@example({"manager": None, f"{ENT}:manager.value": None, "userName": "a"}, "User", "entra")
@settings(max_examples=300, deadline=None)
@given(any_bodies, st.sampled_from(["User", "Group"]), st.sampled_from(["entra", "rfc"]))
def test_whatever_is_sent_a_body_passes_for_good_or_is_a_scim_error_of_the_clients(body, kind, by):
    validator = compile_validator(core(), kind, dialect(by))
    result = outcome(validator.create, body)
    if isinstance(result, Checked):
        assert validator.create(result.resource).resource == result.resource
    else:
        assert result.status == 400


# --- a second opinion ------------------------------------------------------------------------------------------------

Model = User[EnterpriseUser]

agreed = st.one_of(
    st.builds(
        lambda op, target: {"op": op, "path": target[0], "value": target[1]},
        st.sampled_from(["add", "replace"]),
        st.one_of(
            st.tuples(st.sampled_from(["title", "userName", "name.givenName", f"{ENT}:department"]), words),
            st.tuples(st.just("active"), st.booleans()),
        ),
    ),
    st.sampled_from(["title", "name.givenName", "name", "active", "roles"]).map(
        lambda path: {"op": "remove", "path": path}
    ),
)


@settings(max_examples=100, deadline=None)
@given(documents, st.lists(agreed, min_size=1, max_size=3))
def test_plain_changes_lead_where_scim2_models_leads(document, many):
    model = Model.model_validate(document)
    PatchOp[Model].model_validate({"schemas": [PATCH_OP], "Operations": many}).patch(model)
    expected = canonical(model.model_dump())
    assert apply(document, *many, by="rfc").resource == expected


@pytest.mark.parametrize("op", ["add", "replace"])
def test_scim2_models_agrees_on_filtered_values(op, ada):
    operation = {"op": op, "path": 'emails[type eq "work"].value', "value": "new@work.example"}
    model = Model.model_validate(ada)
    PatchOp[Model].model_validate({"schemas": [PATCH_OP], "Operations": [operation]}).patch(model)
    assert apply(ada, operation, by="rfc").resource["emails"] == model.model_dump()["emails"]
