"""The provisioning log: read by filters and by cursor, exported, and kept for as long as it is to be kept."""
