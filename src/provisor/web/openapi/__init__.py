"""``/openapi.json``: what the HTTP faces take and answer, for programs to read."""
