"""Floor 3, the source of every flow: tenants, users, groups, members, deleted items, import and export of files."""
