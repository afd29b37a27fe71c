"""App side: who is in which group."""
