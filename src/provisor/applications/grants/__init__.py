"""Beside registrations: consent, as Graph's ``oauth2PermissionGrant`` has it."""
