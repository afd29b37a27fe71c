"""Object connections: the stored pairs of a source and a target object, one by one."""
