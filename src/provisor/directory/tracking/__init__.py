"""Source of every flow: what has changed since a number of the feed, object by object."""
