"""Endpoints that are broken as real ones were, each after a public issue, and the healthy one beneath them."""
