"""After a restart: every linked object is read in the target once, and what somebody changed there is set right."""
