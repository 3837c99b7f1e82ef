"""What can be looked at.

Owns images (geometry, hashes, public ids) and their files: the original, the public copy, renditions. Rows, not
pixels. Words: *image*, *file*, *rendition*, *public id*. Does not own who may see them, or where they came from.
"""
