"""`/api/v1/`: Grand Challenge's API, so that its client `gcapi` works unmodified."""
