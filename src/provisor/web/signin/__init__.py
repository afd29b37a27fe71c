"""Pages of signing in: the sign-in itself, one-time links, sign-up, one's own account, and consent."""
