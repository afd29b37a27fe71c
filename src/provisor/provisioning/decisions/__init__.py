"""Step matching, where a person has to go on: several accounts could be somebody's."""
