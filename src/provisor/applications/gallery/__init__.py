"""Before every flow: the gallery. One TOML file per app beside this one; nothing about a vendor is code.

From an entry's compact mapping table a job's synchronization schema is made, in the very JSON that Microsoft Graph and
Entra's portal exchange (reference graph-synchronization-api.md section 6.1).
"""

from __future__ import annotations

import tomllib
import uuid
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from provisor.applications.directories import GROUP, USER, Attribute, directories
from provisor.applications.errors import TemplateNotFound
from provisor.expressions import compile as expressions

_VERSION = "1.0"
_FIRST = ("dialpad", "scim")


class ConfigurationField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One credential that the app needs; ``name`` is a key of Graph's ``synchronizationSecret``."""

    name: str
    label: str
    secret: bool = False
    required: bool = True


class RoleTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An app role that the app comes with. ``value`` is what a token would carry; null where there is none."""

    display_name: str
    value: str | None = None


class MappingTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the mapping table. ``source`` is an expression, ``match`` the matching precedence (0: none)."""

    source: str
    target: str
    match: int = 0
    apply: str = "Always"
    default: str | None = None


class ObjectTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mapping of one kind of object. ``attributes`` are those that only this app has."""

    name: str
    mappings: tuple[MappingTemplate, ...]
    actions: str = "Add, Update, Delete"
    attributes: tuple[Attribute, ...] = ()


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public page that says how the app's SCIM interface behaves, and when it did."""

    url: str
    date: str


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One app of the gallery. ``tenant_url`` is empty where each customer has an address of their own, which then has
    the form ``tenant_url_form``, with what differs in braces.

    ``capabilities`` is handed to the connector's ``CapabilityProfile.from_dict``. ``credential``: what the Secret Token
    is. ``notes``: what an administrator should know before; ``sources``: where all of that is written.
    ``guid``: what Graph names it by; empty where that follows from ``id``. ``aliases``: other ids that clients use.
    """

    id: str
    display_name: str
    publisher: str
    description: str
    tenant_url: str
    configuration_fields: tuple[ConfigurationField, ...]
    app_roles: tuple[RoleTemplate, ...]
    capabilities: dict[str, Any]
    user: ObjectTemplate
    group: ObjectTemplate | None = None
    categories: tuple[str, ...] = ()
    tenant_url_form: str = ""
    credential: str = "bearer token"
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    guid: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def graph_id(self) -> str:
        """The id of Graph's ``applicationTemplate``."""
        return self.guid or str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:provisor:template:{self.id}"))

    def requires(self, field: str) -> bool:
        """Must this credential be given before the app can be called?"""
        return any(one.required for one in self.configuration_fields if one.name == field)

    def default_schema(self, job_id: str) -> dict[str, Any]:
        """The synchronization schema of a new job. Its ids follow from ``job_id``: restoring defaults keeps them."""
        source = directories().source.name
        pairs = [("User", USER, self.user)]
        if self.group is not None:
            pairs.append(("Group", GROUP, self.group))
        return {
            "id": job_id,
            "version": _VERSION,
            "synchronizationRules": [
                {
                    "id": _id(job_id, f"rule {kind}"),
                    "name": f"{kind}_OUTBOUND_{kind}".upper(),
                    "editable": True,
                    "priority": priority,
                    "sourceDirectoryName": source,
                    "targetDirectoryName": self.id,
                    "containerFilter": None,
                    "groupFilter": None,
                    "metadata": [{"key": "supportsProvisionOnDemand", "value": "True"}],
                    "objectMappings": [_object_mapping(kind, target, template)],
                }
                for priority, (kind, target, template) in enumerate(pairs, start=1)
            ],
            "directories": [
                directories().source.definition(_id(job_id, "source"), source),
                directories().target.definition(
                    _id(job_id, "target"), self.id, {target: template.attributes for _, target, template in pairs}
                ),
            ],
        }


@cache
def templates() -> dict[str, Template]:
    """Template id -> template: the two that come first, then the others by name."""
    entries = [
        msgspec.convert(tomllib.loads(file.read_text("utf-8")), Template)
        for file in files("provisor.applications.gallery").iterdir()
        if file.name.endswith(".toml")
    ]
    return {entry.id: entry for entry in sorted(entries, key=_place)}


def template(template_id: str) -> Template:
    """One app of the gallery, by its id, an alias (then the answer's id is the alias) or Graph's GUID.

    Raises ``TemplateNotFound``.
    """
    known = templates()
    if (found := known.get(template_id)) is not None:
        return found
    for entry in known.values():
        if template_id in entry.aliases:
            return msgspec.structs.replace(entry, id=template_id)
        if template_id.lower() == entry.graph_id:
            return entry
    raise TemplateNotFound(
        f"The gallery has no app {template_id!r}.", hint=f"It has: {', '.join(known)}. Any other app is 'scim'."
    )


def _place(entry: Template) -> tuple[int, str]:
    first = _FIRST.index(entry.id) if entry.id in _FIRST else len(_FIRST)
    return first, entry.display_name.casefold()


def _object_mapping(kind: str, target: str, entry: ObjectTemplate) -> dict[str, Any]:
    return {
        "name": entry.name,
        "enabled": True,
        "flowTypes": entry.actions,
        "sourceObjectName": kind,
        "targetObjectName": target,
        "scope": None,
        "metadata": [],
        "attributeMappings": [
            {
                "targetAttributeName": row.target,
                "matchingPriority": row.match,
                "flowType": row.apply,
                "flowBehavior": "FlowWhenChanged",
                "defaultValue": row.default,
                "exportMissingReferences": False,
                "source": expressions.compile(row.source).to_source(),
            }
            for row in entry.mappings
        ],
    }


def _id(job_id: str, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:provisor:{job_id}:{what}"))
