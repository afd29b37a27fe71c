"""App side: a company's own schemas, extensions and resource types."""
