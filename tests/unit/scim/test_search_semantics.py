"""What filters mean: bound to a schema and evaluated over resources; PyPI scim2-models as a second opinion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, User
from scim2_models.path.filter import ScimFilter

from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidFilter
from provisor.scim.filters import Not, all_of, any_of, parse, to_text
from provisor.scim.predicates import compile_predicate
from provisor.scim.resolution import Compare, resolve_text
from provisor.scim.schemas import ENTERPRISE_USER_URN as ENT
from provisor.scim.schemas import USER_URN, core

ADA = {
    "schemas": [USER_URN, ENT],
    "id": "ua",
    "externalId": "X-1",
    "userName": "Ada@Example.com",
    "active": True,
    "name": {"familyName": "Straße"},
    "emails": [
        {"type": "work", "value": "ada@work.example", "primary": True},
        {"type": "home", "value": "ada@x.example"},
    ],
    ENT: {"department": "R&D", "manager": {"value": "ub"}},
    "meta": {"created": "2026-01-31T12:00:00.000Z"},
}


def holds(text, resource=ADA, by="entra", kind="User"):
    return compile_predicate(resolve_text(text, core(), kind, dialect(by)))(resource)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ada@example.COM"',
        'USERNAME eq "ada@example.com"',
        f'{USER_URN}:userName eq "ada@example.com"',
        'externalId eq "X-1"',
        'name.familyName eq "STRASSE"',
        'userName co "EXAMPLE" and userName sw "ada" and userName ew ".com"',
        'userName gt "abc" and userName lt "b" and userName ge "ada@example.com" and userName le "ada@example.com"',
        "active eq true",
        "active eq True",
        'active eq "true"',
        'emails[type eq "work" and value co "@work"]',
        'emails[type eq "work"].value eq "ada@work.example"',
        'emails.type eq "work" and emails.value co "@x"',
        'emails co "@x"',
        'emails eq "ADA@x.example"',
        "emails pr",
        "emails.primary eq true",
        'emails[not (primary pr) and type eq "home"]',
        f'{ENT}:department eq "r&d"',
        f'{ENT}.department eq "r&d"',
        'department eq "r&d"',
        "manager eq ub",
        f'{ENT}:manager.value eq "ub"',
        'manager[value eq "ub"]',
        'id eq "ua" and manager eq "ub"',
        "manager eq ub and id eq ua",
        'meta.created gt "2026-01-31T12:30:00+01:00"',
        'meta.created eq "2026-01-31T13:00:00+01:00"',
        'meta.created ge "2026-01-31" and meta.created lt 2026-02-01',
        'meta.created sw "2026-01"',
        f'schemas eq "{ENT}"',
        "title eq null",
        "emails ne null",
        'title ne "x"',
        'not (title eq "x")',
        'emails.type ne "other"',
    ],
)
def test_filters_that_hold(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ada@example"',
        'userName eq "ada@example.com.test"',
        'externalId eq "x-1"',
        'emails[type eq "work" and value co "@x"]',
        'emails[type eq "home"].value eq "ada@work.example"',
        'emails.type ne "work"',
        "title pr",
        "phoneNumbers pr",
        'title eq "x"',
        'title co ""',
        "active eq false",
        "active ne true",
        "manager eq UB",
        "id eq ua and manager eq uz",
        'meta.created gt "2026-01-31T12:00:00Z"',
        "title ne null",
    ],
)
def test_filters_that_do_not_hold(text):
    assert not holds(text)


def test_false_and_zero_are_present_and_emptiness_is_not():
    assert holds("active pr", {"active": False})
    for empty in ("", None, [], {}):
        assert not holds("name pr", {"name": empty})


@pytest.mark.parametrize(
    "text",
    [
        'shoeSize eq "37"',
        'name.shoe eq "x"',
        'emails[shoe eq "x"]',
        'userName[value eq "x"]',
        'name eq "x"',
        "active gt true",
        'active co "t"',
        "active eq 1",
        'active eq "perhaps"',
        'meta.created gt "yesterday"',
        'x509Certificates.value co "MII"',
        "userName gt null",
        'password eq "s3cret"',
        "password pr",
        f'{ENT} eq "x"',
        'emails.value.domain eq "x"',
    ],
)
@pytest.mark.parametrize("by", ["entra", "rfc"])
def test_what_cannot_be_searched_is_an_invalid_filter(text, by):
    with pytest.raises(InvalidFilter):
        holds(text, by=by)


def test_strictly_literals_have_the_attributes_type():
    for text in ('active eq "true"', "externalId eq 7", 'department eq "x"', 'meta.created gt "2026-01-31"'):
        with pytest.raises(InvalidFilter):
            holds(text, by="rfc")


def test_a_bare_number_is_compared_as_it_was_written():
    assert holds("externalId eq 1.50", {"externalId": "1.50"})
    assert not holds("externalId eq 1.50", {"externalId": "1.5"})


def test_bound_values_are_folded_and_keep_what_was_given():
    bound = resolve_text('emails.type eq "Work"', core(), "User", dialect())
    assert isinstance(bound, Compare)
    assert (bound.ref.key, bound.value, bound.given) == ("emails.type", "work", "Work")


def test_members_and_groups_are_searched_by_value():
    for kind, text in (("Group", 'members eq "ua"'), ("Group", 'members[value eq "ua"]'), ("User", "groups eq ua")):
        name = text.partition(" ")[0].partition("[")[0]
        assert holds(text, {name: [{"value": "ua"}]}, kind=kind)
        assert not holds(text, {name: [{"value": "uz"}]}, kind=kind)


# --- the second opinion ----------------------------------------------------------------------------------------------

words = st.sampled_from(["a", "A", "ab", "b", "work", "home"])
emails = st.lists(
    st.fixed_dictionaries({}, optional={"type": words, "display": words, "primary": st.booleans()}).filter(bool),
    min_size=1,
    max_size=3,
)
resources = st.fixed_dictionaries(
    {"userName": words},
    optional={
        "title": words,
        "externalId": words,
        "active": st.booleans(),
        "name": st.fixed_dictionaries({"givenName": words}),
        "emails": emails,
        ENT: st.fixed_dictionaries({"department": words}),
    },
)
quoted = words.map(lambda word: f'"{word}"')
text_paths = ["userName", "title", "externalId", "name.givenName", "emails.type", "emails.display", f"{ENT}:department"]
text_tests = st.builds(
    lambda path, op, value: f"{path} {op} {value}",
    st.sampled_from(text_paths),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]),
    quoted,
)
other_tests = st.one_of(
    st.builds(lambda path: f"{path} pr", st.sampled_from([*text_paths, "emails", "name", "active"])),
    st.sampled_from(["active eq true", "active ne true", "emails.primary eq true"]),
    st.builds(lambda a, b: f"emails[type eq {a} and display eq {b}]", quoted, quoted),
    st.builds(lambda a, b: f"emails[type ne {a} or display co {b}]", quoted, quoted),
)
term_texts = st.one_of(text_tests, other_tests)


def parsed(text):
    return parse(text, dialect("rfc"))


def combined(inner):
    several = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(several.map(all_of), several.map(any_of), inner.map(Not))


@settings(max_examples=200, deadline=None)
@given(st.recursive(term_texts.map(parsed), combined, max_leaves=4).map(to_text), resources)
def test_filters_mean_what_scim2_models_says_they_mean(text, resource):
    document = {"schemas": [USER_URN, ENT], "id": "x", **resource}
    model = User[EnterpriseUser]
    expected = ScimFilter[model](text).match(model.model_validate(document))
    assert holds(text, document, by="rfc") == expected


def test_long_filters_work_like_short_ones():
    names = " or ".join(f'userName eq "user{number}"' for number in range(100))
    assert not holds(names)
    assert holds(f'{names} or userName eq "ada@example.com"')


def test_numbers_compare_as_numbers_also_when_quoted():
    schema = {
        "id": "urn:x:1.0:User",
        "attributes": [{"name": "size", "type": "decimal"}, {"name": "n", "type": "integer"}],
    }
    schemas = core().extend([schema], {"User": {"urn:x:1.0:User": False}})
    resource = {"urn:x:1.0:User": {"size": 10.5, "n": 9}}

    def holds_here(text, by="entra"):
        return compile_predicate(resolve_text(text, schemas, "User", dialect(by)))(resource)

    assert holds_here("size gt 9")
    assert holds_here('size gt "9"')
    assert holds_here("n lt 10 and n ne 10")
    assert not holds_here("size le 10")
    for text in ("size co 1", "size eq true", 'size eq "many"'):
        with pytest.raises(InvalidFilter):
            holds_here(text)
    with pytest.raises(InvalidFilter):
        holds_here('size gt "9"', by="rfc")
