"""What is learnt of the pace of targets, kept and shared by all workers."""
