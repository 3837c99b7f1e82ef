"""Composition: settings, URLs, the ASGI application, processes, and the root of the command line."""
