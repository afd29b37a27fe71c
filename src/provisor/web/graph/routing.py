"""Graph face, step 1: which operation a path and a method mean. Resources declare operations; this is their table.

A template is ``/groups/{group}/members/$ref``; ``{sp|appId}`` takes an id, or another key by the property ``appId``.
Names are matched in any case, and before keys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from provisor.web.graph.errors import BadRequest, NotAllowed
from provisor.web.graph.paths import Segment

if TYPE_CHECKING:
    from provisor.web.graph.http import Answer, Request

Handler = Callable[["Request"], Awaitable["Answer"]]
Version = Literal["v1.0", "beta"]
VERSIONS: tuple[Version, ...] = ("v1.0", "beta")

# Sets of options for operations to name.
ENTITY = frozenset(("$select", "$expand"))
SELECT = frozenset(("$select",))
DIRECTORY_LIST = frozenset(
    ("$filter", "$select", "$expand", "$orderby", "$top", "$count", "$search", "$skiptoken"),
)
PLAIN_LIST = frozenset(("$filter", "$select", "$orderby", "$top", "$skip", "$count", "$skiptoken"))
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """``permission``: a row of ``permissions.toml``. ``options``: the query options that are taken; others are 400.

    ``versions``: under which it is there. ``summary`` and ``kind``, the name of the type that is answered (null: none
    of ours), are for the OpenAPI document.
    """

    method: str
    template: str
    handler: Handler
    permission: str
    options: frozenset[str] = NONE
    versions: Sequence[Version] = VERSIONS
    summary: str = ""
    kind: str | None = None

    @property
    def endpoint(self) -> str:
        """The first name of the path, for the metrics."""
        return self.template.split("/")[1]


@dataclass(frozen=True, slots=True)
class Found:
    """An operation and what the path holds. ``alternates``: parameter -> the property that its value is of."""

    operation: Operation
    params: dict[str, str]
    alternates: dict[str, str]


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    keyed: _Node | None = None
    parameter: str = ""
    alternates: frozenset[str] = frozenset()
    methods: dict[str, Operation] = field(default_factory=dict)


class Table:
    """The operations of one version of the API."""

    def __init__(self, operations: Iterable[Operation], version: Version) -> None:
        self._root = _Node()
        self.operations = [one for one in operations if version in one.versions]
        for operation in self.operations:
            self._add(operation)

    def find(self, path: Sequence[Segment], method: str) -> Found:
        """The operation. Raises ``BadRequest`` for a path that is none, ``NotAllowed`` with the methods there are."""
        for node, params, alternates in self._nodes(path):
            if node.methods:
                operation = node.methods.get(method)
                if operation is None:
                    raise NotAllowed(
                        f"This resource does not take {method[:20]}, only {', '.join(node.methods)}.",
                        headers={"allow": ", ".join(node.methods)},
                    )
                return Found(operation, params, alternates)
        text = "/".join(segment.text for segment in path)
        raise BadRequest(f"Resource not found for the segment '{text[:200]}'.", code="BadRequest")

    def _nodes(self, path: Sequence[Segment]) -> Iterable[tuple[_Node, dict[str, str], dict[str, str]]]:
        """Every node that the path may mean, names first."""
        stack: list[tuple[_Node, int, dict[str, str], dict[str, str]]] = [(self._root, 0, {}, {})]
        while stack:
            node, at, params, alternates = stack.pop()
            if at == len(path):
                yield node, params, alternates
                continue
            segment = path[at]
            keyed = node.keyed
            if keyed is not None:
                if segment.kind != "alternate":
                    stack.append((keyed, at + 1, {**params, node.parameter: segment.text}, alternates))
                else:
                    known = {name.lower(): name for name in node.alternates}
                    name = known.get(segment.property.lower())
                    if name is None and segment.property.lower() != "id":
                        raise BadRequest(f"'{segment.property[:100]}' is no key of this resource.", code="BadRequest")
                    marked = {**alternates, node.parameter: name} if name else alternates
                    stack.append((keyed, at + 1, {**params, node.parameter: segment.text}, marked))
            if segment.kind == "text" and (child := node.children.get(segment.text.lower())) is not None:
                stack.append((child, at + 1, params, alternates))

    def _add(self, operation: Operation) -> None:
        node = self._root
        for part in operation.template.strip("/").split("/"):
            if part.startswith("{"):
                name, *alternates = part[1:-1].split("|")
                if node.keyed is None:
                    node.keyed = _Node()
                    node.parameter = name
                elif node.parameter != name:
                    raise ValueError(f"{operation.template}: this parameter is called {node.parameter!r} elsewhere.")
                node.alternates |= frozenset(alternates)
                node = node.keyed
            else:
                node = node.children.setdefault(part.lower(), _Node())
        if operation.method in node.methods:
            raise ValueError(f"{operation.method} {operation.template} is declared twice.")
        node.methods[operation.method] = operation
