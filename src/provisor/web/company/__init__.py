"""The company's admin portal, ``/company``: thin pages over the services that the API uses."""
