"""Graph face, provisioning configurations as they are answered. Pure."""

from __future__ import annotations

import json
from typing import Any

from provisor.applications.gallery import Template
from provisor.applications.scoping import operators
from provisor.applications.synchronization.expressions import Parsed
from provisor.expressions.functions.all import FUNCTIONS
from provisor.provisioning.connections.store import Connection

Document = dict[str, Any]


def template(one: Template, *, default: bool, job_id: str) -> Document:
    """Graph's ``synchronizationTemplate`` with its schema. ``job_id``: the id of a job that is made of it."""
    fields = [
        {"name": field.name.lower(), "secret": True} if field.secret else {"name": field.name.lower()}
        for field in one.configuration_fields
    ]
    metadata = {
        "galleryApplicationIdentifier": one.graph_id,
        "galleryApplicationKey": one.id,
        "isOAuthEnabled": "False",
        "isSynchronizationAgentAssignmentRequired": "False",
        "isSynchronizationAgentRequired": "False",
        "isSynchronizationInPreview": "False",
        "configurationFields": json.dumps(fields, separators=(",", ":")),
    }
    return {
        "id": one.id,
        "applicationId": one.graph_id,
        "default": default,
        "description": one.description,
        "discoverable": True,
        "factoryTag": one.id,
        "metadata": [{"key": key, "value": value} for key, value in metadata.items()],
        "schema": one.default_schema(job_id),
    }


def filter_operators() -> list[Document]:
    """Graph's ``filterOperatorSchema`` of every operator; ``name`` as the public sample has it, ``id`` as the CSDL."""
    return [
        {
            "id": one.name,
            "name": one.name,
            "arity": one.arity,
            "multivaluedComparisonType": one.several,
            "supportedAttributeTypes": list(one.types),
        }
        for one in operators()
    ]


def functions() -> list[Document]:
    """Graph's ``attributeMappingFunctionSchema`` of every function of the mapping language."""
    return [
        {
            "id": name,
            "name": name,
            "parameters": [
                {
                    "name": parameter.name,
                    "required": parameter.required,
                    "allowMultipleOccurrences": parameter.repeating,
                    "type": parameter.type,
                }
                for parameter in one.parameters
            ],
        }
        for name, one in sorted(FUNCTIONS.items())
    ]


def parsed(found: Parsed) -> Document:
    """Graph's ``parseExpressionResponse``."""
    error: Document | None = None
    if found.error is not None:
        code = "ExpressionParsingFailed" if found.source is None else "ExpressionEvaluationFailed"
        message = f"{found.error.message} {found.error.hint or ''}".strip()
        error = {"code": code, "message": message, "target": None, "details": [], "innerError": None}
    return {
        "error": error,
        "parsingSucceeded": found.source is not None,
        "evaluationSucceeded": found.values is not None,
        "evaluationResult": list(found.values or ()),
        "parsedExpression": found.source,
    }


def connection(one: Connection) -> Document:
    """Beta's ``objectConnection``."""
    return {
        "objectId": one.source_id,
        "sourceAnchor": one.source_id,
        "targetAnchor": one.target_id,
        "displayName": one.display_name,
        "objectTypeName": one.kind,
    }
