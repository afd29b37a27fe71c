"""The OAuth faces."""
