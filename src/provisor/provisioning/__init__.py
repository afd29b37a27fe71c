"""The engine of the identity side: keeps every entitled identity true in the target application."""
