"""The SCIM resources of a company: users, groups and memberships; reading, writing and searching them."""
