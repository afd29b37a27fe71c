"""The keys that sign tokens: one line of them per tenant, sealed at rest, rotated."""
