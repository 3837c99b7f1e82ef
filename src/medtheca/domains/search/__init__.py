"""Finding images.

Owns how filters become SQL, pages and counts under a viewer's visibility, the index that answers faster, and the
searches that people keep under a name. Words: *filter*, *page*, *count*, *facet*, *index*, *saved search*. Does not own
who may see an image: it asks `access`.
"""
