"""Graph face, ``/auditLogs``: what was provisioned, and who changed the configuration (reference section 9)."""
