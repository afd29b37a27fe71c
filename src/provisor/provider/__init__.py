"""The SCIM service provider's domain: companies, administrators, API keys here; users and groups in ``resources``."""
