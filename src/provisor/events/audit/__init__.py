"""The audit log: who changed what of the configuration, each entry chained by a hash to the one before."""
