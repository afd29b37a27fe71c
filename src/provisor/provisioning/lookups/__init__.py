"""Every step: what it asks of the tables beside its claims."""
