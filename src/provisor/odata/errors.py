"""OData, when a query cannot be understood: what is wrong and where.

InvalidInput
└── BadQuery             400 BadRequest                the text is malformed
    ├── UnknownProperty  400 BadRequest                a name that the type does not have
    └── Unsupported      400 Request_UnsupportedQuery  well-formed, but not to be had here
"""

from __future__ import annotations

from provisor.errors import InvalidInput


class BadQuery(InvalidInput):
    """The query cannot be understood."""


class UnknownProperty(BadQuery):
    """The type has no such property."""


class Unsupported(BadQuery):
    """The query asks for something that is not supported."""
