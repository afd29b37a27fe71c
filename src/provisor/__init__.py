"""Provisor: both sides of SCIM provisioning. The version, and nothing else."""

__version__ = "0.1.0"
