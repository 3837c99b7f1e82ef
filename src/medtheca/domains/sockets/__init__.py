"""Typed, named slots for values, and the values themselves.

Owns what kinds of values there are, which sockets exist and who may use them, look-up tables, and values, which never
change. Words: *socket* (Grand Challenge's "component interface"), *kind*, *super kind*, *overlay segments*, *value*.
Does not own what values are gathered in: archive items and cases of reader studies are made by domains above.
"""
