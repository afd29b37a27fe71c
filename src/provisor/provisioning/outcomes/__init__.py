"""After a cycle: which objects a count of it is made of, each with the log's entry that tells what was done."""
