"""Copies without identifying data: the container is rewritten, the coded pixels are not touched.

Stripping works on an allow-list: what is not known to be needed for showing the pixels is left out.
Nothing is decoded or encoded again, so the pixels of a copy cannot differ from those of the original.
"""
