"""Graph face, every operation there is: each resource module gives its own, and this puts them together."""

from __future__ import annotations

from provisor.web.graph import types
from provisor.web.graph.applications import operations as applications
from provisor.web.graph.applications import types as application_types
from provisor.web.graph.directory import organization
from provisor.web.graph.directory.actions import Actions
from provisor.web.graph.directory.deleted import DeletedItems
from provisor.web.graph.directory.delta import Delta
from provisor.web.graph.directory.extension_properties import ExtensionProperties
from provisor.web.graph.directory.groups import Groups
from provisor.web.graph.directory.links import LinkLists
from provisor.web.graph.directory.objects import Objects
from provisor.web.graph.directory.users import Users
from provisor.web.graph.face import GraphFace
from provisor.web.graph.links import Tokens
from provisor.web.graph.logs import types as log_types
from provisor.web.graph.routing import Operation
from provisor.web.graph.services import GraphServices
from provisor.web.graph.synchronization import types as synchronization_types

TYPES = {**types.TYPES, **application_types.TYPES, **log_types.TYPES, **synchronization_types.TYPES}


def graph_face(services: GraphServices) -> GraphFace:
    """The ASGI application of the whole API."""
    return GraphFace(services, operations(services), TYPES)


def operations(services: GraphServices) -> list[Operation]:
    """All of them."""
    tokens = Tokens(services.sealer)
    objects = Objects(services)
    links = LinkLists(objects, tokens)
    return [
        *Users(services, objects, tokens).operations(links),
        *Groups(services, objects, tokens).operations(links),
        *Delta(services, "User", tokens).operations(),
        *Delta(services, "Group", tokens).operations(),
        *ExtensionProperties(services, tokens).operations(),
        *Actions(services, objects).operations(),
        *DeletedItems(services, objects, tokens).operations(),
        *organization.operations(services, tokens),
        *(applications.operations(services.apps, objects, tokens) if services.apps is not None else ()),
    ]
