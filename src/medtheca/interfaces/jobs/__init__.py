"""Queue entry points: a registered name leads to a workflow."""
