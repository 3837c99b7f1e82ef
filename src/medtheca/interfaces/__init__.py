"""Translation: a request in, one call down, a response out. The interfaces are strangers to each other."""
