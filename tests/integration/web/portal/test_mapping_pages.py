"""Mappings, filters and schemas in the admin centre: what the editor says is what the engine will use."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from provisor.applications.schema import ObjectMapping
from provisor.security.actor import operator

if TYPE_CHECKING:
    from conftest import Browser, World

Text = Callable[[str], str]


def base(world: World) -> str:
    return f"/portal/apps/{world.here.app.service_principal.id}/provisioning"


async def users(world: World) -> ObjectMapping:
    return (await world.services.applications.job(operator(), world.here.app.job_id)).schema.user


async def version(world: World) -> str:
    return str((await world.services.applications.job(operator(), world.here.app.job_id)).schema_version)


async def test_the_mappings_are_listed_with_their_rows(world: World, browser: Browser, text: Text) -> None:
    page = text(await browser.get(f"{base(world)}/mappings"))
    assert "Provision Microsoft Entra ID Users Yes 22 userName All records" in page
    page = text(await browser.get(f"{base(world)}/mappings/User"))
    assert "[userPrincipalName] userName 1 Always" in page
    assert 'Join(" ", [givenName], [surname]) name.formatted' in page


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"type": "Attribute", "attribute": "givenName"}, "[givenName]"),
        ({"type": "Constant", "constant": "<b>all</b>"}, '"<b>all</b>"'),
        ({"type": "Function", "expression": 'Append([mailNickname], "-x")'}, 'Append([mailNickname], "-x")'),
        ({"type": "None", "default_value": "none"}, ""),
    ],
)
async def test_a_row_of_each_type_is_added_and_edited(
    world: World, browser: Browser, fields: dict[str, str], source: str
) -> None:
    given = {**fields, "target": "nickName", "apply": "ObjectAddOnly", "when_empty": "Keep", "version": "1"}
    page = await browser.sent(f"{base(world)}/mappings/User/row", given)
    assert "saved as version 2" in page
    row = (await users(world)).attribute_mappings[-1]
    assert (row.target, row.source_text, row.flow_type.value, row.when_empty) == (
        "nickName",
        source,
        "ObjectAddOnly",
        "Keep",
    )
    page = await browser.get(f"{base(world)}/mappings/User/row?target=nickName")
    assert '<option value="ObjectAddOnly" selected>' in page
    again = {**given, "version": "2", "replacing": "nickName"}
    assert "Nothing was different." in await browser.sent(f"{base(world)}/mappings/User/row", again)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"type": "Function", "expression": 'Jion("x")'}, "there is no function Jion"),
        ({"type": "Attribute", "attribute": "shoeSize"}, "no attribute [shoeSize]"),
        ({"type": "Attribute"}, "Choose the source attribute."),
        ({"type": "Constant", "constant": "x", "target": "userName"}, "userName is mapped already"),
        ({"type": "Constant", "constant": "x", "target": "shoe"}, "no such attribute"),
        ({"type": "Constant", "constant": "x", "matching": "0"}, "Give a whole number from 1 to 100."),
        ({"type": "Constant", "constant": "x", "version": "9"}, "were changed meanwhile"),
        ({"type": "Constant", "constant": "x", "target": ""}, "Choose the target attribute."),
    ],
)
async def test_what_is_wrong_with_a_row_is_told_and_nothing_saved(
    world: World, browser: Browser, text: Text, fields: dict[str, str], fault: str
) -> None:
    given = {"target": "nickName", "version": "1", "apply": "Always", **fields}
    reply = await browser.post(f"{base(world)}/mappings/User/row", given, status=422)
    assert fault in text(reply.text)
    assert await version(world) == "1"


async def test_a_row_is_removed(world: World, browser: Browser) -> None:
    assert "Remove the mapping to title?" in await browser.get(f"{base(world)}/mappings/User/row/delete?target=title")
    page = await browser.sent(f"{base(world)}/mappings/User/row/delete", {"target": "title", "version": "1"})
    assert "Nothing is mapped to title any more." in page
    assert "title" not in [row.target for row in (await users(world)).attribute_mappings]
    given = {"target": "userName", "version": "2"}
    reply = await browser.post(f"{base(world)}/mappings/User/row/delete", given, status=422)
    assert "no attribute is used for matching" in reply.text


async def test_an_expression_is_tried_for_a_person(world: World, browser: Browser, text: Text) -> None:
    address = f"{base(world)}/mappings/User/try"
    given = {"expression": 'Append([displayName], "!")', "who": "ada@here.example", "type": "Function"}
    reply = await browser.post(address, given, status=200)
    assert "For ada@here.example: Ada of Here!" in text(reply.text)
    for expression, who, told in (
        ('Jion("x")', "ada@here.example", "there is no function Jion"),
        ("[displayName]", "ada@there.example", "There is no user 'ada@there.example'"),
        ('CDate("soon")', "ada@here.example", "soon"),
    ):
        reply = await browser.post(address, {**given, "expression": expression, "who": who}, status=200)
        assert told in text(reply.text)


async def test_target_object_actions(world: World, browser: Browser) -> None:
    await browser.sent(f"{base(world)}/mappings/Group", {"version": "1", "add": "yes"})
    group = (await world.services.applications.job(operator(), world.here.app.job_id)).schema.group
    assert group is not None
    assert (group.enabled, group.flow_types.add, group.flow_types.update) == (False, True, False)
    await browser.get(f"{base(world)}/mappings/Device", status=404)


def clause(attribute: str, operator_name: str, value: str, at: str = "f0.c0") -> dict[str, str]:
    return {f"{at}.attribute": attribute, f"{at}.operator": operator_name, f"{at}.value": value}


async def test_the_filter_editor_works_without_scripts(world: World, browser: Browser, text: Text) -> None:
    address = f"{base(world)}/mappings/User/scope"
    reply = await browser.post(address, {"do": "add-filter", "version": "1"}, status=200)
    assert 'name="f0.c0.attribute"' in reply.text
    fields = {"version": "1", "f0.name": "Sales", **clause("department", "EQUALS", "Sales")}
    reply = await browser.post(address, {**fields, "do": "add-clause:0"}, status=200)
    assert 'name="f0.c1.attribute"' in reply.text
    assert 'value="Sales"' in reply.text
    fields |= clause("mail", "IS NOT NULL", "", "f0.c1")
    reply = await browser.post(address, {**fields, "do": "remove-clause:0.1"}, status=200)
    assert 'name="f0.c1.attribute"' not in reply.text
    page = await browser.sent(address, {**fields, "do": "save"})
    assert "saved as version 2" in page
    assert "Sales : department EQUALS Sales and mail IS NOT NULL" in text(page)
    reply = await browser.post(address, {**fields, "do": "remove-filter:0", "version": "2"}, status=200)
    assert "No filter" in reply.text
    await browser.sent(address, {"do": "save", "version": "2"})
    assert (await users(world)).scope is None


async def test_who_would_pass_is_counted_and_named(world: World, browser: Browser, text: Text) -> None:
    for number in range(3):
        person = {"userPrincipalName": f"s{number}@here.example", "displayName": f"S{number}", "department": "Sales"}
        user = await world.services.directory.create_user(operator(), world.here.tenant.id, person)
        if number == 0:
            sp = world.here.app.service_principal.id
            await world.services.applications.assign(operator(), world.here.tenant.id, sp, user.id, "User")
    address = f"{base(world)}/mappings/User/scope"
    fields = {"version": "1", "f0.name": "Sales", "do": "count", **clause("department", "EQUALS", "Sales")}
    page = text((await browser.post(address, fields, status=200)).text)
    assert "3 of 6 user pass. 1 of them are assigned as well" in page.replace("users", "user")
    assert "s1@here.example (not assigned)" in page
    assert "ada@here.example Sales department EQUALS Sales: nothing, so not passed" in page
    wrong = {**fields, **clause("department", "REGEX MATCH", "(")}
    page = text((await browser.post(address, wrong, status=422)).text)
    assert "department REGEX MATCH" in page
    assert await version(world) == "1"


async def test_the_count_goes_on_where_it_ended(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisor.web.portal.scope._AT_ONCE", 2)
    address = f"{base(world)}/mappings/User/scope"
    fields: dict[str, Any] = {"version": "1", "do": "count", "f0.name": "x", **clause("displayName", "IS NOT NULL", "")}
    looked_at = 0
    for _ in range(10):
        reply = await browser.post(address, fields, status=200)
        looked_at += 1
        after = reply.text.partition('name="after" value="')[2].partition('"')[0]
        if not after:
            break
        for name in ("looked_at", "passed", "in_scope"):
            fields[name] = reply.text.partition(f'name="{name}" value="')[2].partition('"')[0]
        fields["after"] = after
    assert looked_at == 2
    assert "<strong>3</strong> of 3 users pass" in reply.text


async def test_the_attribute_list(world: World, browser: Browser) -> None:
    address = f"{base(world)}/mappings/User/attributes"
    given = {
        "name": "urn:x:2.0:User:room",
        "type": "Integer",
        "mutability": "ReadWrite",
        "required": "",
        "version": "1",
    }
    assert "urn:x:2.0:User:room is in the list." in await browser.sent(f"{address}/edit", given)
    assert 'value="Integer" selected' in await browser.get(f"{address}/edit?name=urn:x:2.0:User:room")
    reply = await browser.post(f"{address}/delete", {"name": "userName", "version": "2"}, status=422)
    assert "the target has no such attribute" in reply.text
    page = await browser.sent(f"{address}/delete", {"name": "urn:x:2.0:User:room", "version": "2"})
    assert "is not in the list any more" in page


async def test_a_schema_goes_out_and_in_again_with_versions_and_differences(
    world: World, browser: Browser, text: Text
) -> None:
    document = json.loads((await browser.client.get(f"{base(world)}/schema/download")).text)
    assert document == (await world.services.applications.job(operator(), world.here.app.job_id)).schema.document
    document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][3]["defaultValue"] = "Staff"
    files = {"file": ("schema.json", json.dumps(document).encode(), "application/json")}
    assert "saved as version 2" in await browser.sent(f"{base(world)}/schema/upload", files=files)
    page = text(await browser.get(f"{base(world)}/schema/diff?before=1&after=2"))
    assert "title, defaultValue nothing Staff" in page
    assert "Restore version 1?" in await browser.get(f"{base(world)}/schema/restore?version=1")
    assert "Restored, as version 3." in await browser.sent(f"{base(world)}/schema/restore", {"version": "1"})
    assert "Restored, as version 4." in await browser.sent(f"{base(world)}/schema/restore", {"version": ""})
    for content, told in (
        (b"", "Choose a file first."),
        (b"{", "not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "fault"),
    ):
        files = {"file": ("schema.json", content, "application/json")}
        reply = await browser.post(f"{base(world)}/schema/upload", files=files, status=422)
        assert told in text(reply.text)


async def test_who_may_only_look_is_offered_no_change(world: World, text: Text) -> None:
    browser = await world.browser("Global Reader")
    await browser.get(f"{base(world)}/mappings", status=403)
    await browser.post(f"{base(world)}/mappings/User/row", {"version": "1"}, status=403)
    page = await browser.get(f"/portal/apps/{world.here.app.service_principal.id}")
    assert f'href="{base(world)}"' not in page
