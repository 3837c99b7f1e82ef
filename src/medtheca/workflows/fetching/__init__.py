"""Fetching images from an archive that runs elsewhere, over its API, into a folder of this machine.

Needs neither a database nor Django: whoever has the program can fetch from any Medtheca.
"""
