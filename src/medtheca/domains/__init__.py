"""Rules and tables, a folder a subject; each may import only those below it."""
