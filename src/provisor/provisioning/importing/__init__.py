"""Step import: which objects a cycle has to look at."""
