"""Who is there: accounts, sessions, and the directory as an OAuth 2.0 and OpenID Connect authority."""
