"""Credentials of companies that are about to expire: whoever owns them is written to."""
