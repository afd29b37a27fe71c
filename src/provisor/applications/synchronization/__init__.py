"""Beside scoping: provisioning configurations as Graph's ``synchronization`` has them, below a service principal."""
