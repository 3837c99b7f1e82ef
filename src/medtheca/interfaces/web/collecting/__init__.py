"""Pages of collections: the list, one, whom it is shared with, and adding images."""
