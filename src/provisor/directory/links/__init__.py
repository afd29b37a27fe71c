"""Source of every flow: who owns a group, and who is in it through other groups."""
