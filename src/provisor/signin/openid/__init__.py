"""The directory as an OAuth 2.0 and OpenID Connect authority: what applications ask, and what people allow them."""
