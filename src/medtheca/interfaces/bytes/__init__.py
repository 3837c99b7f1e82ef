"""The byte plane: raw ASGI for uploads and files. It decides from memory and never imports a view."""
