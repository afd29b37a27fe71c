"""Envelopes, searches, ETags and errors on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scim2_models import Error, ListResponse, User

from provisor.scim import errors
from provisor.scim.errors import InvalidSyntax, InvalidValue, ScimError
from provisor.scim.messages import (
    SearchRequest,
    bulk_body,
    bulk_response,
    etag,
    etag_matches,
    list_response,
    parse_search,
    patch_body,
)
from provisor.scim.schemas import USER_URN


def test_an_empty_list_still_has_resources():
    answer = list_response([], total=0, start_index=1)
    assert answer == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }


def test_a_page_counts_what_it_holds():
    user = {"schemas": [USER_URN], "id": "ua", "userName": "ada"}
    page = list_response([user], total=11, start_index=11)
    model = ListResponse[User].model_validate(page)
    assert (model.total_results, model.items_per_page, model.start_index) == (11, 1, 11)


def test_a_cursor_page_may_leave_out_the_total():
    page = list_response([], total=None, start_index=None, next_cursor="n", previous_cursor="p")
    assert (page["nextCursor"], page["previousCursor"]) == ("n", "p")
    assert not page.keys() & {"totalResults", "startIndex"}


def test_a_search_reads_query_strings_and_bodies_alike():
    expected = SearchRequest(
        filter="title pr",
        sort_by="userName",
        descending=True,
        start_index=6,
        count=5,
        attributes=("id", "name.givenName"),
        excluded_attributes=("members",),
    )
    query = {
        "filter": "title pr",
        "sortBy": "userName",
        "sortOrder": "Descending",
        "startIndex": "6",
        "COUNT": " 5",
        "attributes": "id, name.givenName,",
        "excludedAttributes": "members",
        "aadOptscim062020": "",
    }
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "title pr",
        "sortBy": "userName",
        "sortOrder": "descending",
        "startIndex": 6,
        "count": 5,
        "attributes": ["id", "name.givenName"],
        "excludedAttributes": ["members"],
    }
    assert parse_search(query) == expected
    assert parse_search(body) == expected


def test_numbers_out_of_range_are_brought_into_it():
    for start in (0, -5, "0"):
        assert parse_search({"startIndex": start}).start_index == 1
    assert parse_search({"count": "-1"}).count == 0
    assert parse_search({"count": "0"}).count == 0
    assert parse_search({"count": ""}).count is None


def test_an_empty_cursor_asks_for_the_first_page():
    assert parse_search({"cursor": ""}).cursor == ""
    assert parse_search({}) == SearchRequest()


@pytest.mark.parametrize(
    "parameters",
    [
        {"count": "many"},
        {"count": "1_0"},
        {"count": "٣"},
        {"count": 1.5},
        {"count": True},
        {"startIndex": "9" * 5000},
        {"startIndex": [1]},
        {"sortOrder": "up"},
        {"filter": 1},
        {"attributes": 1},
        {"attributes": [1]},
    ],
)
def test_a_search_with_nonsense_is_refused(parameters):
    with pytest.raises(InvalidValue):
        parse_search(parameters)


def test_a_search_body_is_an_object():
    with pytest.raises(InvalidSyntax):
        parse_search([])


def test_bodies_of_patch_and_bulk_carry_their_uris():
    urn = "urn:ietf:params:scim:api:messages:2.0:"
    assert patch_body([{"op": "remove", "path": "a"}])["schemas"] == [f"{urn}PatchOp"]
    assert bulk_body([], fail_on_errors=1) == {"schemas": [f"{urn}BulkRequest"], "failOnErrors": 1, "Operations": []}
    assert "failOnErrors" not in bulk_body([])
    assert bulk_response([{"status": "201"}])["schemas"] == [f"{urn}BulkResponse"]


@pytest.mark.parametrize(
    ("header", "matches"),
    [('W/"3"', True), ('"3"', True), ("3", True), ("*", True), ('W/"2", W/"3"', True), ('W/"33"', False), ("", False)],
)
def test_entity_tags_are_compared_weakly(header, matches):
    assert etag_matches(header, etag(3)) is matches


# --- errors ----------------------------------------------------------------------------------------------------------

CLASSES = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, ScimError) and found is not ScimError
]


@pytest.mark.parametrize("found", CLASSES, ids=lambda found: found.__name__)
def test_every_error_goes_to_the_wire_and_back(found):
    error = found("What went wrong.", hint="What to do.")
    body = error.body()
    assert Error.model_validate(body).status == error.status
    assert isinstance(body["status"], str)
    back = ScimError.from_body(body, error.status)
    assert (back.status, back.scim_type) == (error.status, error.scim_type)
    assert back.message == "What went wrong. What to do."
    if found is not errors.BadRequest:
        assert type(back) is found


def test_the_tree_at_the_top_of_the_module_is_complete():
    assert errors.__doc__ is not None
    for found in CLASSES:
        assert f" {found.__name__} " in errors.__doc__


@pytest.mark.parametrize(
    ("body", "status", "kind", "scim_type"),
    [
        ({"scimType": "UNIQUENESS", "detail": "taken"}, 409, errors.Uniqueness, "UNIQUENESS"),
        ({"scimType": "uniqueness"}, 400, errors.BadRequest, "uniqueness"),
        ({"Detail": "x", "status": 404}, 404, errors.NotFound404, None),
        ({"scimType": "vendorSpecific"}, 418, ScimError, "vendorSpecific"),
        ("<html>", 502, ScimError, None),
        (None, 401, errors.Unauthorized, None),
        ({"detail": 3}, 503, errors.Busy, None),
    ],
)
def test_foreign_error_bodies_are_understood(body, status, kind, scim_type):
    error = ScimError.from_body(body, status)
    assert type(error) is kind
    assert (error.status, error.scim_type) == (status, scim_type)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30), st.integers(1, 10**9))
def test_any_header_text_is_compared_without_failing(header, version):
    assert etag_matches(f"{header},{etag(version)}", etag(version))
