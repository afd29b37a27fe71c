"""Searching a company's own attributes: on random resources, the database finds what the filter means."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisor.ids import new_id
from provisor.provider.model import Principal
from provisor.provider.resources import document
from provisor.provider.resources.service import Resources
from provisor.scim.dialect import dialect
from provisor.scim.messages import SearchRequest
from provisor.scim.predicates import compile_predicate
from provisor.scim.resolution import resolve_text
from provisor.scim.schemas import USER_URN
from provisor.security.actor import Actor, Realm, operator, rights_of

BADGE = "urn:acme:scim:2.0:Badge"
SCHEMA = {
    "id": BADGE,
    "attributes": [
        {"name": "label", "type": "string"},
        {"name": "code", "type": "string", "caseExact": True},
        {"name": "level", "type": "integer"},
        {"name": "weight", "type": "decimal"},
        {"name": "valid", "type": "boolean"},
        {"name": "issued", "type": "dateTime"},
        {"name": "sites", "type": "string", "multiValued": True},
        {"name": "home", "type": "reference", "referenceTypes": ["external"]},
        {
            "name": "doors",
            "type": "complex",
            "multiValued": True,
            "subAttributes": [{"name": "value", "type": "string"}, {"name": "floor", "type": "integer"}],
        },
        {"name": "car", "type": "complex", "subAttributes": [{"name": "plate", "type": "string"}]},
    ],
}
words = st.sampled_from(["a", "A", "ab", "b", "ß", "SS", "x y", "%", "_", "é", "x" * 301])
numbers = st.integers(-2, 2)
moments = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-06-01T12:00:00.5Z"])
doors = st.fixed_dictionaries({"value": words}, optional={"floor": numbers})
badges = st.fixed_dictionaries(
    {},
    optional={
        "label": words,
        "code": words,
        "level": numbers,
        "weight": st.sampled_from([-1, 0.5, 2]),
        "valid": st.booleans(),
        "issued": moments,
        "sites": st.lists(words, min_size=1, max_size=3, unique_by=str.casefold),
        "home": words,
        "doors": st.lists(doors, min_size=1, max_size=3, unique_by=lambda door: door["value"].casefold()),
        "car": st.fixed_dictionaries({"plate": words}),
    },
)
users = st.lists(st.fixed_dictionaries({"userName": words}, optional={"title": words, BADGE: badges}), max_size=6)

quoted = words.map(lambda word: f'"{word}"')
order = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])
texts = st.builds(
    lambda path, op, word: f"{path} {op} {word}",
    st.sampled_from(
        [*(f"{BADGE}:{name}" for name in ("label", "code", "sites", "home", "doors", "car.plate")), "title"]
    ),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "le"]),
    quoted,
)
others = st.one_of(
    st.builds(lambda op, number: f"{BADGE}:level {op} {number}", order, numbers),
    st.builds(lambda op, number: f"{BADGE}:weight {op} {number}", order, numbers),
    st.builds(lambda op, moment: f'{BADGE}:issued {op} "{moment}"', order, moments),
    st.sampled_from([f"{BADGE}:valid eq true", f"{BADGE}:valid ne false", "userName pr"]),
    st.sampled_from([f"{BADGE}:{name} pr" for name in ("label", "level", "sites", "doors", "doors.floor", "car")]),
    st.builds(lambda word, number: f"{BADGE}:doors[value eq {word} and floor ge {number}]", quoted, numbers),
)
filters = st.recursive(
    st.one_of(texts, others),
    lambda inner: st.one_of(
        st.builds(lambda one, word, two: f"({one} {word} {two})", inner, st.sampled_from(["and", "or"]), inner),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=4,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=users, asked=st.lists(filters, min_size=4, max_size=4))
async def test_the_database_finds_what_a_filter_on_own_attributes_means(
    people: list[dict[str, Any]], asked: list[str], resources: Resources
) -> None:
    company = new_id()
    caller = _caller(company)
    await resources.custom.add(operator(), company, SCHEMA, extends="User")
    stored = []
    for number, person in enumerate(people):
        body = {"schemas": [USER_URN, BADGE], **person, "userName": f"{person['userName']}{number}"}
        stored.append(document.as_dict(await resources.create(caller, "User", body), ""))
    schemas = await resources.schemas(caller)
    for text in asked:
        holds = compile_predicate(resolve_text(text, schemas, "User", dialect("entra")))
        expected = [resource["id"] for resource in stored if holds(resource)]
        page = await resources.search(caller, "User", SearchRequest(filter=text))
        assert [served.stored.id for served in page.resources] == expected, text
        walked = await resources.walk(
            caller, ("User",), SearchRequest(filter=text, cursor=""), derived={"User": frozenset()}
        )
        assert [served.stored.id for _, part in walked.parts for served in part] == expected, text


def _caller(company: str) -> Principal:
    return Principal(
        company, Actor(Realm("company", company), "key", rights_of(["Company Administrator"])), "k", "entra"
    )
