"""What of a resource is indexed, and how values stand in the index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisor.provider.resources.index import LONGEST, Indexer, index_value
from provisor.provider.resources.search import Engine, plan
from provisor.scim.dialect import dialect
from provisor.scim.resolution import resolve_text
from provisor.scim.schemas import ENTERPRISE_USER_URN, core, fold

ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=LONGEST + 20)


@given(TEXT, TEXT)
def test_equal_index_values_are_equal_texts_but_for_their_case(one: str, other: str) -> None:
    assert (index_value(one, case_exact=True) == index_value(other, case_exact=True)) == (one == other)
    assert (index_value(one, case_exact=False) == index_value(other, case_exact=False)) == (fold(one) == fold(other))


@given(TEXT)
def test_an_index_value_fits_into_an_index_entry_and_keeps_its_beginning(text: str) -> None:
    value = index_value(text, case_exact=True)
    assert len(value.encode()) <= 4 * LONGEST + 65
    assert value.startswith(text[:LONGEST])


def test_a_users_matching_attributes_are_indexed_each_value_once() -> None:
    draft = Indexer(core()).draft(
        "User",
        {
            "userName": "Ada@Acme.example",
            "externalId": "Ab",
            "emails": [{"value": "A@x"}, {"value": "b@x"}, {"value": "a@X"}, {"type": "work"}],
            ENTERPRISE_USER_URN: {"manager": {"value": "m"}, "department": "R&D"},
            "title": "CTO",
        },
    )
    assert draft.unique_key == "ada@acme.example"
    assert draft.rows == {("externalId", "Ab"), ("email", "a@x"), ("email", "b@x"), ("manager", "m")}


def test_a_groups_name_is_unique_unless_the_company_wants_it_otherwise() -> None:
    sales = {"displayName": "Sales"}
    assert Indexer(core()).draft("Group", sales).unique_key == "sales"
    assert Indexer(core(), unique_group_names=False).draft("Group", sales).unique_key is None
    assert Indexer(core(), unique_group_names=False).draft("Group", sales).rows == {("displayName", "sales")}


def test_the_text_of_a_condition_depends_on_the_shape_of_its_filter_only() -> None:
    filters = [f'userName eq "{word}" and externalId eq "{word}"' for word in ("ada", "b'; DROP TABLE resource", "%")]
    bound = [resolve_text(text, core(), "User", dialect()) for text in filters]
    texts = {plan(one, "User", engine, Indexer(core()).paths("User")).where for one in bound for engine in ENGINES}
    assert len(texts) == 1
