"""Step export: what is on its way to the target, so that a crash leaves no false certainty."""
