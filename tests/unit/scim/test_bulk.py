"""Bulk requests: what they hold, what refers to what, and how references are resolved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.scim.bulk import parse_bulk, references, resolved, without
from provisor.scim.dialect import dialect
from provisor.scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge
from provisor.scim.messages import BULK_REQUEST


def read(*operations, by="entra", most=10, **more):
    return parse_bulk({"schemas": [BULK_REQUEST], "Operations": list(operations), **more}, dialect(by), most=most)


def post(data, bulk_id="a"):
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def test_an_operation_is_read_with_names_in_any_case():
    found = read({"METHOD": "patch", "Path": "/Users/1", "VERSION": 'W/"1"', "data": {}}, failOnErrors=2)
    assert found.fail_on_errors == 2
    (operation,) = found.operations
    assert (operation.method, operation.path, operation.version, operation.error) == (
        "PATCH",
        "/Users/1",
        'W/"1"',
        None,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "text",
        {},
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Users", "data": {}},
        {"method": "POST", "path": "/Users", "bulkId": "", "data": {}},
        {"method": "PUT", "path": "/Users/1"},
        {"method": "PUT", "path": "/?x", "data": {}},
        {"method": "DELETE", "path": 7},
        {"method": "PATCH", "path": "/Users/1", "data": []},
    ],
)
def test_a_wrong_operation_is_an_error_of_its_own(wrong):
    found = read(wrong, post({"userName": "ada"}))
    assert isinstance(found.operations[0].error, InvalidSyntax)
    assert found.operations[1].error is None


def test_data_nested_without_end_is_refused():
    data: dict = {}
    for _ in range(200):
        data = {"x": data}
    (operation,) = read(post(data)).operations
    assert operation.error is not None
    assert references(operation) == set()


def test_what_is_no_bulk_request_is_refused():
    for body in ([], {}, {"Operations": []}, {"Operations": {}}):
        with pytest.raises(InvalidSyntax):
            parse_bulk(body, dialect("entra"), most=10)
    with pytest.raises(InvalidSyntax):
        parse_bulk({"Operations": [post({})]}, dialect("rfc"), most=10)
    for limit in (0, -1, "1", True, 1.5):
        with pytest.raises(InvalidValue):
            read(post({}), failOnErrors=limit)
    with pytest.raises(PayloadTooLarge):
        read(post({}), post({}, "b"), most=1)
    with pytest.raises(InvalidValue, match="bulkId"):
        read(post({}), post({}))


def test_references_are_found_in_paths_and_anywhere_in_data():
    (operation,) = read(
        {
            "method": "PATCH",
            "path": "/Groups/bulkId:g",
            "data": {
                "Operations": [{"value": [{"value": "BulkID:a"}, {"value": "x bulkId:no"}]}],
                "manager": "bulkId:b",
            },
        }
    ).operations
    assert references(operation) == {"g", "a", "b"}
    known = resolved(operation.data, {"a": "1", "b": "2"})
    assert known == {"Operations": [{"value": [{"value": "1"}, {"value": "x bulkId:no"}]}], "manager": "2"}


def test_what_refers_ahead_can_be_left_out_first():
    data = {
        "members": [{"value": "bulkId:a"}, {"value": "bulkId:b", "type": "User"}, {"value": "1"}],
        "manager": {"value": "bulkId:a"},
        "nickName": "bulkId:a",
        "x": {"y": ["bulkId:a", "z"]},
    }
    assert without(data, {"a"}) == {
        "members": [{"value": "bulkId:b", "type": "User"}, {"value": "1"}],
        "x": {"y": ["z"]},
    }


names = st.sampled_from(["a", "b", "c"])
texts = st.one_of(st.text(max_size=5), names.map("bulkId:{}".format))
documents = st.dictionaries(
    st.text(max_size=4),
    st.recursive(
        st.one_of(texts, st.none(), st.booleans(), st.integers()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
        max_leaves=8,
    ),
    max_size=4,
)


@given(documents, st.sets(names))
def test_nothing_that_is_resolved_or_left_out_refers_any_more(data, known):
    def left(value):
        return references(read({"method": "PUT", "path": "/Users/1", "data": value}).operations[0])

    before = left(data)
    assert left(resolved(data, dict.fromkeys(known, "id"))) == before - known
    assert left(without(data, known)) <= before - known
