"""Dry runs: what people try before they upload.

Owns inspections, their reports, and the bytes that lie in a scratch folder while they run. Words: *inspection*,
*scratch*. Does not own anything that stays: nothing of the archive refers to a dry run, and an hour later all of it is
gone.
"""
