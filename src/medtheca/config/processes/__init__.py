"""The processes of one instance: the embedded PostgreSQL server, and the supervisor behind `medtheca up`.

Owns: the life of the server, the lock on the data folder, starting, watching and stopping of children.
Does not own: what the children do. Nothing here imports Django, so that the supervisor stays small.
"""
