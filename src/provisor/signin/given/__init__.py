"""Passwords that an administrator or an application gives to a tenant's people."""
