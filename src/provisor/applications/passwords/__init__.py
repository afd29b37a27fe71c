"""Beside registrations: the secrets with which applications prove to the authority who they are."""
