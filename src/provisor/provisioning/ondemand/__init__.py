"""Provision on demand: one object now, with every step told, whatever the job's state."""
