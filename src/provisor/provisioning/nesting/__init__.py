"""Step scoping, where groups inside groups count: a job's setting."""
