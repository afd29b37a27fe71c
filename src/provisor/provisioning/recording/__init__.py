"""Step acknowledge: what a batch has learnt, written down in one commit."""
