"""Every step: where a job stands, kept in one row."""
