"""Step guard: too many deletions, or too many changes at once, wait for a person."""
