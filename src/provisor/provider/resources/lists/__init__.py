"""App side: lists of resources, page by page."""
