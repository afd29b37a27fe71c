"""Graph face: applications, service principals, the gallery, role assignments and consent (reference sections 3, 4)."""
