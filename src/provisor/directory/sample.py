"""Source of the demo: an invented company of any size, the same one each time, and how it gets into a directory.

Names, places and titles are data, in ``sample.toml``. The chief executive has the heads of eight departments, these
have leads, and each lead about eight people.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, TypeVar

import msgspec

from provisor.directory.groups import GroupNotFound
from provisor.directory.model import NewUser
from provisor.directory.names import upn_key
from provisor.directory.service import Directory
from provisor.security.actor import Actor

T = TypeVar("T")

_CHUNK = 500
# A lead and eight people.
_TEAM = 9
# Letters that have no decomposition into a base letter and a mark.
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D", "æ": "ae"})


class Sample(msgspec.Struct, frozen=True):
    """``users``: attributes by Graph's names. ``managers``: name of a user -> name of the manager, chief excepted.

    ``groups``: display name -> user principal names of its members; from 10 people on, none is empty.
    """

    users: list[dict[str, Any]]
    managers: dict[str, str]
    groups: dict[str, list[str]]


class Loaded(msgspec.Struct, frozen=True):
    """What loading the sample added; all zero when it was complete before."""

    users: int
    groups: int
    memberships: int


class _Person(msgspec.Struct, frozen=True):
    """A place in the organisation; ``manager`` is an index, -1 of the chief."""

    title: str
    department: str
    manager: int


def sample_directory(n: int = 100) -> Sample:
    """The company with ``n`` people, ``n`` ≥ 1. Whoever is in it with ``n`` people is in it with more, as the same."""
    data = _data()
    taken: dict[str, int] = {}
    people = list(islice(_organisation(), n))
    users = [_user(index, person, data, taken) for index, person in enumerate(people)]
    upns = [user["userPrincipalName"] for user in users]
    managers = {upns[index]: upns[person.manager] for index, person in enumerate(people) if person.manager >= 0}
    return Sample(users, managers, _groups(users, managers))


async def load_sample(directory: Directory, actor: Actor, tenant_id: str, n: int = 100) -> Loaded:
    """Bring the sample's people, managers, groups and members into a tenant, in chunks; who is there stays as they are.

    Running it again after it was killed adds what is missing.
    """
    sample = sample_directory(n)
    made = 0
    for chunk in _chunks(sample.users):
        present = await directory.users_by_upn(actor, tenant_id, [user["userPrincipalName"] for user in chunk])
        missing = [NewUser(user) for user in chunk if upn_key(user["userPrincipalName"]) not in present]
        if missing:
            await directory.create_users(actor, tenant_id, missing)
            made += len(missing)
    for pairs in _chunks(list(sample.managers.items())):
        ids = await _ids(directory, actor, tenant_id, [upn for pair in pairs for upn in pair])
        await directory.set_managers(actor, tenant_id, {ids[user]: ids[manager] for user, manager in pairs})
    groups = memberships = 0
    for name, members in sample.groups.items():
        try:
            group = await directory.find_group(actor, tenant_id, name)
        except GroupNotFound:
            group = await directory.create_group(actor, tenant_id, {"displayName": name})
            groups += 1
        for upns in _chunks(members):
            ids = await _ids(directory, actor, tenant_id, upns)
            memberships += len(await directory.add_members(actor, tenant_id, group.id, [ids[upn] for upn in upns]))
    return Loaded(made, groups, memberships)


async def _ids(directory: Directory, actor: Actor, tenant_id: str, upns: Sequence[str]) -> dict[str, str]:
    users = await directory.users_by_upn(actor, tenant_id, upns)
    return {upn: users[upn_key(upn)].id for upn in upns}


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("provisor.directory").joinpath("sample.toml").read_text("utf-8"))


def _organisation() -> Iterator[_Person]:
    """Places without end: the chief, the heads, then teams that grow in every department by its share."""
    data = _data()
    departments = data["departments"]
    yield _Person(data["management"]["title"], data["management"]["department"], -1)
    for department in departments:
        yield _Person(department["head"], department["name"], 0)
    # One turn takes somebody from every department that still has a share left, so that none comes in a block.
    most = max(department["share"] for department in departments)
    turns = [d for turn in range(most) for d, department in enumerate(departments) if turn < department["share"]]
    sizes = [0] * len(departments)
    leads = [0] * len(departments)
    index = 1 + len(departments)
    while True:
        for d in turns:
            department = departments[d]
            if sizes[d] % _TEAM == 0:
                leads[d] = index
                yield _Person(department["lead"], department["name"], 1 + d)
            else:
                yield _Person(department["staff"][sizes[d] % len(department["staff"])], department["name"], leads[d])
            sizes[d] += 1
            index += 1


def _user(index: int, person: _Person, data: dict[str, Any], taken: dict[str, int]) -> dict[str, Any]:
    given_names, family_names, offices = data["given_names"], data["family_names"], data["offices"]
    # Both steps are coprime to the number of names, and these to each other: a full name comes back after all others.
    given = given_names[index * 36 % len(given_names)]
    family = family_names[index * 40 % len(family_names)]
    local = f"{_ascii(given)}.{_ascii(family)}"
    taken[local] = taken.get(local, 0) + 1
    upn = f"{local}{taken[local] if taken[local] > 1 else ''}@{data['domain']}"
    office = offices[0 if person.manager < 0 else (index * 7 + index // 5) % len(offices)]
    return {
        "userPrincipalName": upn,
        "displayName": f"{given} {family}",
        "givenName": given,
        "surname": family,
        "mail": upn,
        "accountEnabled": True,
        "jobTitle": person.title,
        "department": person.department,
        "companyName": data["company"],
        "employeeId": f"L{10001 + index}",
        "officeLocation": f"{office['name']} {1 + index % 5}.{1 + index % 24:02}",
        "streetAddress": office["street"],
        "city": office["city"],
        "state": office["state"],
        "postalCode": office["postal_code"],
        "country": office["country"],
        "usageLocation": office["location"],
        "preferredLanguage": office["language"],
        "businessPhones": [office["phone"].format(n=index % 100)],
        "mobilePhone": office["mobile"].format(n=5 + index * 7 % 95),
    }


def _ascii(name: str) -> str:
    """A name as it stands in an address: lower-case ASCII letters and hyphens."""
    decomposed = unicodedata.normalize("NFKD", name.translate(_PLAIN))
    return "".join(c for c in decomposed.lower() if c.isascii() and (c.isalpha() or c == "-"))


def _groups(users: Sequence[dict[str, Any]], managers: dict[str, str]) -> dict[str, list[str]]:
    bosses = set(managers.values())
    departments = len(_data()["departments"])

    def belongs(index: int, user: dict[str, Any], group: str) -> bool:
        match group:
            case "All Staff":
                return True
            case "Leadership":
                return index <= departments
            case "Managers":
                return user["userPrincipalName"] in bosses
            case "Berlin Office":
                return bool(user["city"] == "Berlin")
            case "Security Champions":
                return index % 12 == departments
            case _:
                return bool(user["department"] == group)

    return {
        group: [user["userPrincipalName"] for index, user in enumerate(users) if belongs(index, user, group)]
        for group in _data()["groups"]
    }


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
