"""The administrators among a company's users: what SCIM does to a user happens to the administrator too."""
