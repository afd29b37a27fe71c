"""Beside scoping: applications as they are registered, and their instances in tenants, the service principals."""
