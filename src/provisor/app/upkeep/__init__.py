"""What keeps the database in order: retention, removal of whole tenants, another sealing key, copies."""
