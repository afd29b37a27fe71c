"""Links that let somebody in once, to set a password."""
