"""Source of every flow: directory extensions, attributes that an application defines for users and groups."""
