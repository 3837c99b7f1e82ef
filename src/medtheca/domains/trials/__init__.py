"""Dry runs: what people try before they upload.

Owns inspections, their reports, and the bytes that lie in a scratch folder while they run. Words: *inspection*,
*scratch*. Apart from the rest because nothing of the archive refers to it: an hour later all of it is gone.
"""
