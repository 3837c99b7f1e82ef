"""Bytes and their safety.

Owns blobs (immutable, named by their SHA-256), uploads on their way in, fixity, tombstones and the sweep. Words:
*blob*, *staged file*, *store*, *upload*, *tombstone*, *quarantine*. Does not own what bytes mean, or who may read them.
"""
