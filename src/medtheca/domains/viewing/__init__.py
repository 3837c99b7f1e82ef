"""How items are shown: panels and their places, what goes into each, and how the viewer behaves.

Owns hanging protocols, view content's rules, viewer configurations, window presets and the register of viewers. Words:
*hanging protocol*, *viewport*, *view content*, *viewer configuration*. Says who makes and changes look-up tables, whose
rows `sockets` keeps. Does not own what is shown.
"""
