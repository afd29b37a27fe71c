"""Plans: what the next cycle would do, as a stored object that can be approved and applied."""
