"""Words that all domains share: errors, ids, the clock, enqueueing a job by its name."""
