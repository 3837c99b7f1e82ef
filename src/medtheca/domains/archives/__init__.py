"""Access-controlled sets of items: images with overlays, files and values.

Owns archives, what they say of themselves, who is in one and who asks to be, their items, what changed in them and what
uses them. Words: *archive*, *item*, *editor*, *uploader*, *user*, *access request*, *service*. Does not own which
images are seen through an archive: that stands in `access`, as placements in its scope; and its images are in a cohort
of its own, as all are.
"""
