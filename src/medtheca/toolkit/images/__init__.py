"""Images: identified by content, read strictly, hashed. One file a format in `readers/`."""
