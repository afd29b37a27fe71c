"""Directory roles: who may administer what in a tenant."""
