"""What is told of a job's state: to the audit log, and to whoever is to be written to."""
