"""Beside scoping: role assignments as Graph has them, seen from the application and from who is assigned."""
