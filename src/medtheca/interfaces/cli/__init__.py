"""Commands that do archive work: arguments become a call of a workflow or a query."""
