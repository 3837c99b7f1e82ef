"""What happened and who is told.

Owns audit events, append-only and sealed into a hash chain by a job, never inline. Words: *event*, *seal*.
Actors and subjects are plain ids, so that everything above can write here. Does not own the meaning of what happened.
"""
