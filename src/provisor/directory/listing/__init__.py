"""Source of every flow, for people: users, groups and deleted objects by name, page by page, and searched."""
