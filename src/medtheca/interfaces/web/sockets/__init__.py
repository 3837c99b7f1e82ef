"""Pages of sockets: the catalogue, one of them with examples, defining and changing them."""
