"""Who may do what, and where."""

from __future__ import annotations

import pytest

from provisor.errors import Forbidden
from provisor.security.actor import Actor, Realm, Right, operator

READER = Actor(Realm("tenant", "t1"), "ada", frozenset({Right.DIRECTORY_READ}))


def test_a_right_counts_in_the_actors_own_realm() -> None:
    READER.require(Right.DIRECTORY_READ, "t1")


def test_a_right_that_is_missing_is_named_together_with_the_next_step() -> None:
    with pytest.raises(Forbidden) as caught:
        READER.require(Right.DIRECTORY_WRITE, "t1")
    assert "ada lacks the right directory.write" in str(caught.value)
    assert "Ask an administrator" in str(caught.value)


@pytest.mark.parametrize("elsewhere", ["t2", "", "c1"])
def test_a_right_does_not_count_in_another_realm(elsewhere: str) -> None:
    with pytest.raises(Forbidden, match="belongs to another tenant"):
        READER.require(Right.DIRECTORY_READ, elsewhere)


def test_a_companys_administrator_has_nothing_to_do_with_another_company() -> None:
    actor = Actor(Realm("company", "c1"), "grace", frozenset({Right.COMPANY_ADMINISTER}))
    actor.require(Right.COMPANY_ADMINISTER, "c1")
    with pytest.raises(Forbidden, match="belongs to another company"):
        actor.require(Right.COMPANY_ADMINISTER, "c2")


@pytest.mark.parametrize("right", list(Right))
def test_the_operator_may_do_everything_everywhere(right: Right) -> None:
    for realm in ("", "t1", "c1"):
        operator().require(right, realm)
