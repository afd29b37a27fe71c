"""The sample: believable at every size, and always the same."""

from __future__ import annotations

import pytest

from provisor.directory.model import NewUser
from provisor.directory.sample import sample_directory
from provisor.directory.users import new_user


def test_it_is_the_same_each_time_and_grows_without_changing() -> None:
    small, large = sample_directory(40), sample_directory(120)
    assert sample_directory(40) == small
    assert large.users[:40] == small.users
    assert small.managers.items() <= large.managers.items()


@pytest.mark.parametrize("n", [1, 2, 9, 10, 100, 1234])
def test_everybody_but_the_chief_has_a_manager_and_all_lines_end_at_the_chief(n: int) -> None:
    sample = sample_directory(n)
    upns = [user["userPrincipalName"] for user in sample.users]
    assert len(set(upns)) == n
    assert set(sample.managers) == set(upns[1:])
    for upn in upns:
        line = [upn]
        while line[-1] in sample.managers:
            line.append(sample.managers[line[-1]])
            assert len(line) <= 4
        assert line[-1] == upns[0]


@pytest.mark.parametrize("n", [10, 100])
def test_it_has_eight_groups_with_members(n: int) -> None:
    sample = sample_directory(n)
    upns = {user["userPrincipalName"] for user in sample.users}
    assert len(sample.groups) == 8
    for members in sample.groups.values():
        assert members
        assert len(set(members)) == len(members)
        assert set(members) <= upns


def test_names_go_beyond_ascii_and_addresses_do_not() -> None:
    sample = sample_directory(100)
    assert sample.users[0]["displayName"] == "Zoë Brânză"
    assert sample.users[0]["userPrincipalName"] == "zoe.branza@lindenhof.example"
    assert all(user["userPrincipalName"].isascii() for user in sample.users)


def test_every_user_is_accepted_by_the_directory_and_unique_also_in_a_large_one() -> None:
    users = sample_directory(12_000).users
    assert len({user["userPrincipalName"] for user in users}) == 12_000
    for user in users[:300] + users[-300:]:
        assert new_user("tenant", NewUser(user), 0).user_principal_name == user["userPrincipalName"]
