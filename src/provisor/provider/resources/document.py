"""App side, last step: a resource as JSON text or as a dict, from its stored document and what is derived.

The stored document is served as it is: what changes without it (``meta``, ``groups``, ``members``) is appended to its
text, since parsing and encoding each resource of a page would cost more than reading it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from provisor.clock import iso
from provisor.provider.resources.model import Served, Stored
from provisor.scim.messages import etag


def text(served: Served, base: str, endpoint: str | None = None) -> str:
    """The resource as JSON. ``base`` is the address of the SCIM face, ``https://host/scim``, without a final slash.

    ``endpoint``: where resources of this type are, ``/Devices``; null: at their name in the plural.
    """
    stored = served.stored
    ends = [
        stored.document[:-1],
        (
            f',"meta":{{"resourceType":"{stored.kind}","created":"{moment(stored.created_at)}",'
            f'"lastModified":"{moment(stored.modified_at)}","version":"W/\\"{stored.version}\\"",'
            f'"location":"{base}{endpoint or f"/{stored.kind}s"}/{stored.id}"}}'
        ),
    ]
    if served.groups:
        ends.append(',"groups":[')
        ends.append(",".join([_group(group_id, name, base) for group_id, name in served.groups]))
        ends.append("]")
    if served.members is not None:
        ends.append(',"members":[')
        ends.append(
            ",".join(
                [
                    f'{{"value":"{member_id}","$ref":"{base}/{kind}s/{member_id}","type":"{kind}"}}'
                    for member_id, kind in served.members
                ]
            )
        )
        ends.append("]")
    ends.append("}")
    return "".join(ends)


def as_dict(served: Served, base: str, endpoint: str | None = None) -> dict[str, Any]:
    """The same as a dict, for what looks inside: projections, filters without an index, sorting."""
    found: dict[str, Any] = msgspec.json.decode(text(served, base, endpoint))
    return found


def tag(stored: Stored) -> str:
    """The weak entity tag of the resource's version."""
    return etag(stored.version)


def moment(at_ms: int) -> str:
    """``provisor.clock.iso``, remembered by the second: resources are made in bursts."""
    return f"{_second(at_ms // 1000)}{at_ms % 1000:03d}Z"


@lru_cache(maxsize=8192)
def _second(at_s: int) -> str:
    return iso(at_s * 1000)[:-4]


def _group(group_id: str, name: str | None, base: str) -> str:
    display = "" if name is None else f'"display":{msgspec.json.encode(name).decode()},'
    return f'{{"value":"{group_id}","$ref":"{base}/Groups/{group_id}",{display}"type":"direct"}}'
