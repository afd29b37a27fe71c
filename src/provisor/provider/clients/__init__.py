"""OAuth 2.0 clients of companies (RFC 6749 section 4.4): credentials that are exchanged for short-lived tokens."""
