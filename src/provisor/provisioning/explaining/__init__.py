"""Explanations: why an object, or a value, is in the target or not."""
