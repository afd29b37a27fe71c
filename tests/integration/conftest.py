"""Integration tests use real databases and real servers; the fixtures are in ``tests/conftest.py``."""
