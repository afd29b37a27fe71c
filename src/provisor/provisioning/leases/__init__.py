"""Who may work on a job: one holder at a time, known by an epoch."""
