"""Tiles of our own pyramids: where each lies, Deep Zoom and IIIF arithmetic, and regions made from them.

All but `render` is arithmetic and reading of bytes: a web process may use it. `render` decodes, so it belongs into the
sandbox.
"""
