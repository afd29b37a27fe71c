"""The log of SCIM requests that a company's administrator can read."""
