"""Finding images.

Owns how filters become SQL, pages and counts under a viewer's visibility. Words: *filter*, *page*, *count*, *facet*.
Has no tables yet. Does not own who may see an image: it asks `access`.
"""
