"""Source of every flow: users and groups that satisfy a filter, in pages."""
