"""Step matching, at the beginning of an initial cycle: read the target's list once, when that costs less than to ask.

Five thousand questions whose answer is "nobody" are most of an initial cycle's time. What a list may hide is still
safe: only targets that refuse duplicates with 409 are read this way, and a 409 leads to a question and a link.
"""

from __future__ import annotations

from collections.abc import Sequence

from provisor.connector.answers import TargetObject
from provisor.connector.client import ScimClient
from provisor.connector.errors import TargetError
from provisor.provisioning.faults import concerns_all
from provisor.provisioning.model import Kind

# More objects than this are not kept in memory.
MOST = 20_000
# A page of the list costs the target about as much as so many questions.
PAGE_COST = 4


class Roster:
    """The target's objects of one kind, by the values of the matching attributes, case folded."""

    def __init__(self, objects: Sequence[TargetObject], attributes: Sequence[str]) -> None:
        self._by: dict[str, dict[str, list[TargetObject]]] = {attribute: {} for attribute in attributes}
        self._listed = {found.id: found for found in objects}
        self._made = _Marks()
        for found in objects:
            for attribute, index in self._by.items():
                index.setdefault(folded(found.get(attribute)), []).append(found)

    def add(self, keys: Sequence[tuple[str, str]]) -> None:
        """An object with these keys was created since the list was read."""
        for attribute, value in keys:
            self._made.add(attribute, folded(value))

    def knows(self, attribute: str, value: str) -> bool:
        """Can ``find`` say it? Where an object was made with this value, the target is to be asked; and, now and then,
        where none was: what was made is remembered in little memory."""
        return (attribute, folded(value)) not in self._made

    def get(self, target_id: str) -> TargetObject | None:
        """The object as it was listed; one that is not among them has to be read."""
        return self._listed.get(target_id)

    def find(self, attribute: str, value: str) -> list[TargetObject]:
        """Every listed object with this value, as ``ScimClient.find`` would give it of those that were there before."""
        return self._by[attribute].get(folded(value), [])


class _Marks:
    """Keys of which it is only known whether they were seen: as much memory for 200,000 as for none. One in a hundred
    is then taken for seen that was not."""

    _BITS = 1 << 25

    def __init__(self) -> None:
        self._bits: bytearray | None = None

    def add(self, attribute: str, value: str) -> None:
        if self._bits is None:
            self._bits = bytearray(self._BITS // 8)
        place = hash((attribute, value)) % self._BITS
        self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, key: tuple[str, str]) -> bool:
        if self._bits is None:
            return False
        place = hash(key) % self._BITS
        return bool(self._bits[place >> 3] & (1 << (place & 7)))


async def read_roster(client: ScimClient, kind: Kind, attributes: Sequence[str], waiting: int) -> Roster | None:
    """The roster, or ``None`` where asking is cheaper or surer: too many objects, a list that does not say how many
    there are, does not give all of them, or does not show the matching attributes.

    ``waiting``: how many questions it would save. Raises ``TargetError`` only for what concerns every request.
    """
    size = client.capabilities.page_size
    try:
        first = await client.list_page(kind, 1, size)
        total = first.total
        objects = {found.id: found for found in first.objects}
        if total is None or total > MOST or (total > len(objects) and total / size * PAGE_COST > waiting):
            return None
        while len(objects) < total:
            page = await client.list_page(kind, len(objects) + 1, size)
            before = len(objects)
            objects |= {found.id: found for found in page.objects}
            if len(objects) == before:
                return None
    except TargetError as error:
        if concerns_all(error):
            raise
        return None
    if any(found.get(attribute) in (None, "") for found in objects.values() for attribute in attributes):
        return None
    return Roster(list(objects.values()), attributes)


def folded(value: object) -> str:
    """A value as it is compared: in no particular case."""
    return str(value).casefold()
