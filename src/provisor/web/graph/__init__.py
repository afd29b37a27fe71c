"""The Microsoft-Graph-compatible face, ``/v1.0`` and ``/beta`` (reference: graph-synchronization-api.md).

To add a resource: declare its type (``odata.types.EntityType``) in a ``types`` module, give its ``Operation``s with a
row of ``permissions.toml`` each, and name both in ``operations.py``. A handler takes a ``Request`` (``params``,
``alternates``, ``options(TYPE)``, ``json()``, ``actor``, ``tenant_id``, ``grant.owned_only``), calls one service
function, and answers through ``answers`` (``entity``, ``created``, ``no_content``, ``document``; ``Listing`` for a list
that fits in memory). Whatever a service raises becomes Graph's error in ``errors.as_graph``.
"""
