"""Graph face, ``…/synchronization`` below service principals and applications (reference sections 5 to 8 and 18)."""
