"""Microsoft's own SDK, unmodified, with its base address pointed at a served process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.reference_update import ReferenceUpdate
from msgraph.generated.models.user import User
from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder as UserDelta
from msgraph.generated.users.item.check_member_groups.check_member_groups_post_request_body import (
    CheckMemberGroupsPostRequestBody,
)
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from tests.e2e.conftest import Program

from provisor.directory.model import NewUser
from provisor.directory.service import Directory
from provisor.directory.store import DirectoryStore
from provisor.ids import new_id
from provisor.security.actor import operator
from provisor.testing.clock import SettableClock
from provisor.testing.database import Store, sqlite_store

GRAPH = "https://graph.microsoft.com/v1.0"


class Token:
    """A credential as ``azure-identity`` has them."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes
        return AccessToken(self._text, 4_102_444_800)


@dataclass
class Served:
    """A server on a fresh database with one tenant, and a token with every permission."""

    address: str
    token: str
    tenant_id: str
    store: Store

    def client(self) -> GraphServiceClient:
        adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(Token(self.token), allowed_hosts=[]))
        adapter.base_url = f"{self.address}/v1.0"
        return GraphServiceClient(request_adapter=adapter)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, str]]:
    """One server for every test of this module; each has a tenant of its own."""
    folder = tmp_path_factory.mktemp("sdk")
    program = Program(sqlite_store(folder / "data"), folder)
    with program.serving("--no-worker") as address:
        yield program, address


@pytest.fixture
def served(server: tuple[Program, str]) -> Served:
    program, address = server
    name = new_id()[-12:]
    tenant = program.json("tenant", "create", name, "--domain", f"{name}.example")["id"]
    token = program.json("token", "create", "--tenant", tenant)["token"]
    return Served(address, token, tenant, program.store)


@pytest.fixture
async def client(served: Served) -> AsyncIterator[GraphServiceClient]:
    made = served.client()
    yield made
    # The SDK's transport hands requests to another, and does not close it.
    transport = made.request_adapter._http_client._transport
    await transport.transport.aclose()
    await made.request_adapter._http_client.aclose()


def new(name: str, **more: Any) -> User:
    return User(
        account_enabled=True,
        display_name=name,
        mail_nickname=name.lower(),
        user_principal_name=f"{name.lower()}@lindenhof.example",
        password_profile=PasswordProfile(password="correct horse battery", force_change_password_next_sign_in=True),
        **more,
    )


async def make(client: GraphServiceClient, name: str, **more: Any) -> str:
    made = await client.users.post(new(name, **more))
    assert made is not None
    assert made.id is not None
    return str(made.id)


def select(builder: Any, **options: Any) -> RequestConfiguration[Any]:
    return RequestConfiguration(query_parameters=builder(**options))


async def test_people_and_their_managers(client: GraphServiceClient) -> None:
    boss, ann = await make(client, "Boss"), await make(client, "Ann", job_title="Smith")
    await client.users.by_user_id(ann).patch(User(job_title=None, department="Ops", business_phones=["1"]))
    options = UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters
    read = await client.users.by_user_id("ann@lindenhof.example").get(
        select(options, select=["id", "department", "businessPhones", "createdDateTime"])
    )
    assert read is not None
    assert (read.id, read.department, read.business_phones) == (ann, "Ops", ["1"])
    assert read.created_date_time is not None

    reference = ReferenceUpdate(odata_id=f"{GRAPH}/users/{boss}")
    await client.users.by_user_id(ann).manager.ref.put(reference)
    manager = await client.users.by_user_id(ann).manager.get()
    assert isinstance(manager, User)
    assert manager.display_name == "Boss"
    reports = await client.users.by_user_id(boss).direct_reports.get()
    assert reports is not None
    assert [one.id for one in reports.value or []] == [ann]
    expanded = await client.users.by_user_id(ann).get(select(options, select=["id"], expand=["manager"]))
    assert expanded is not None
    assert isinstance(expanded.manager, User)
    await client.users.by_user_id(ann).manager.ref.delete()
    with pytest.raises(ODataError) as missing:
        await client.users.by_user_id(ann).manager.get()
    assert (missing.value.response_status_code, missing.value.error.code) == (404, "Request_ResourceNotFound")

    with pytest.raises(ODataError) as taken:
        await client.users.post(new("Ann"))
    assert taken.value.response_status_code == 400
    assert taken.value.error.details[0].target == "userPrincipalName"

    await client.users.by_user_id(ann).delete()
    deleted = await client.directory.deleted_items.graph_user.get()
    assert deleted is not None
    assert [one.id for one in deleted.value or []] == [ann]
    restored = await client.directory.deleted_items.by_directory_object_id(ann).restore.post()
    assert isinstance(restored, User)
    await client.users.by_user_id(ann).delete()
    await client.directory.deleted_items.by_directory_object_id(ann).delete()
    organization = await client.organization.get()
    assert organization is not None
    assert str((organization.value or [])[0].verified_domains[0].name).endswith(".example")


async def test_groups_and_their_members(client: GraphServiceClient) -> None:
    ann, bo = await make(client, "Ann"), await make(client, "Bo")
    sales = Group(display_name="Sales", mail_enabled=False, mail_nickname="sales", security_enabled=True)
    sales.additional_data = {"members@odata.bind": [f"{GRAPH}/directoryObjects/{bo}"]}
    made = await client.groups.post(sales)
    assert made is not None
    group = client.groups.by_group_id(str(made.id))

    await group.members.ref.post(ReferenceCreate(odata_id=f"{GRAPH}/directoryObjects/{ann}"))
    with pytest.raises(ODataError) as already:
        await group.members.ref.post(ReferenceCreate(odata_id=f"{GRAPH}/directoryObjects/{ann}"))
    assert already.value.response_status_code == 400
    members = await group.members.get()
    assert members is not None
    assert {(type(one), one.id) for one in members.value or []} == {(User, ann), (User, bo)}
    people = await group.members.graph_user.get()
    assert people is not None
    assert len(people.value or []) == 2
    await group.owners.ref.post(ReferenceCreate(odata_id=f"{GRAPH}/users/{bo}"))
    owners = await group.owners.get()
    assert owners is not None
    assert [one.id for one in owners.value or []] == [bo]

    member_of = await client.users.by_user_id(ann).member_of.get()
    assert member_of is not None
    assert [type(one) for one in member_of.value or []] == [Group]
    checked = await client.users.by_user_id(ann).check_member_groups.post(
        CheckMemberGroupsPostRequestBody(group_ids=[str(made.id)])
    )
    assert checked is not None
    assert checked.value == [made.id]
    found = await client.directory_objects.get_by_ids.post(GetByIdsPostRequestBody(ids=[ann, str(made.id)]))
    assert found is not None
    assert [type(one) for one in found.value or []] == [User, Group]

    await group.members.by_directory_object_id(ann).ref.delete()
    await group.patch(Group(description="Who sells"))
    await group.delete()


async def test_changes_over_two_rounds(client: GraphServiceClient) -> None:
    ann, bo = await make(client, "Ann"), await make(client, "Bo")
    options = UserDelta.DeltaRequestBuilderGetQueryParameters
    first = await client.users.delta.get(select(options, select=["displayName", "jobTitle"]))
    assert first is not None
    assert {one.display_name for one in first.value or []} == {"Ann", "Bo"}
    group_first = await client.groups.delta.get()
    assert group_first is not None

    await client.users.by_user_id(ann).patch(User(job_title="Smith"))
    await client.users.by_user_id(bo).delete()
    sales = Group(display_name="Sales", mail_enabled=False, mail_nickname="sales", security_enabled=True)
    sales.additional_data = {"members@odata.bind": [f"{GRAPH}/directoryObjects/{ann}"]}
    await client.groups.post(sales)

    second = await client.users.delta.with_url(str(first.odata_delta_link)).get()
    assert second is not None
    changed = {one.id: one for one in second.value or []}
    assert changed[ann].job_title == "Smith"
    assert changed[bo].additional_data["@removed"]["reason"] == "changed"
    third = await client.users.delta.with_url(str(second.odata_delta_link)).get()
    assert third is not None
    assert third.value == []
    group_second = await client.groups.delta.with_url(str(group_first.odata_delta_link)).get()
    assert group_second is not None
    (told,) = group_second.value or []
    assert [str(member["id"]) for member in told.additional_data["members@delta"]] == [ann]


def batch_types() -> tuple[Any, Any]:
    """The SDK's own classes for batches, loaded when they are needed: they take a second."""
    from msgraph_core.requests.batch_request_content import BatchRequestContent
    from msgraph_core.requests.batch_request_item import BatchRequestItem

    return BatchRequestContent, BatchRequestItem


async def test_a_batch(client: GraphServiceClient) -> None:
    ann = await make(client, "Ann")
    content_type, item_type = batch_types()
    content = content_type()
    read = item_type(client.users.by_user_id(ann).to_get_request_information())
    missing = item_type(client.users.by_user_id("nobody@lindenhof.example").to_get_request_information())
    change = item_type(client.users.by_user_id(ann).to_patch_request_information(User(job_title="Smith")))
    change.set_depends_on([read])
    for item in (read, missing, change):
        content.add_request(item.id, item)

    answers = await client.batch.post(content)

    assert answers is not None
    # The SDK reads a part's body as base64, which JSON is not: what it has of the parts are their statuses.
    statuses = answers.get_response_status_codes()
    assert (statuses[read.id], statuses[missing.id], statuses[change.id]) == (200, 404, 204)
    changed = await client.users.by_user_id(ann).get()
    assert changed is not None
    assert changed.job_title == "Smith"


async def test_pages_of_2500_people(served: Served, client: GraphServiceClient) -> None:
    database = served.store.database()
    await database.open()
    directory = Directory(DirectoryStore(database), SettableClock())
    for start in range(0, 2_500, 500):
        await directory.create_users(
            operator(),
            served.tenant_id,
            [
                NewUser({"userPrincipalName": f"u{n:04}@lindenhof.example", "displayName": f"User {n:04}"})
                for n in range(start, start + 500)
            ],
        )
    await database.close()

    options = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters
    asked = select(options, select=["id", "displayName"], top=999, count=True, orderby=["displayName"])
    asked.headers.add("ConsistencyLevel", "eventual")
    page = await client.users.get(asked)
    names: list[str] = []
    sizes = []
    while page is not None:
        sizes.append(len(page.value or []))
        names += [str(one.display_name) for one in page.value or []]
        assert page.odata_count == 2_500
        page = await client.users.with_url(page.odata_next_link).get() if page.odata_next_link else None
    assert sizes == [999, 999, 502]
    assert names == [f"User {n:04}" for n in range(2_500)]

    one = await client.users.get(select(options, filter="userPrincipalName eq 'u0007@lindenhof.example'"))
    assert one is not None
    assert [found.display_name for found in one.value or []] == ["User 0007"]
