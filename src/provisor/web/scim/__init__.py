"""The SCIM 2.0 face, ``/scim`` and ``/scim/v2``: RFC 7644 over ``provisor.provider``."""
