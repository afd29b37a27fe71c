"""The directory's admin centre, ``/portal``: thin pages over the services that the API uses."""
