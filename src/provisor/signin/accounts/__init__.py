"""Accounts: passwords, second factors, and what stops guessing."""
