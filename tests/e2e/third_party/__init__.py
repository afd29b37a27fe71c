"""Servers that others wrote, as processes of their own."""
