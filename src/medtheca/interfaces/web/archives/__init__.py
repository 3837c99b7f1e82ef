"""Pages of archives: the list, one with its tabs, its items, its settings, its people."""
