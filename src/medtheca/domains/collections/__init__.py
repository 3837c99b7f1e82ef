"""Collections: sets of images for a purpose, made of images of any cohort.

Owns what a collection is called and says, who may change it, with whom it is shared, the log of what was added and
removed by whom, on which versions can be built, and which public images staff have put before others. Words:
*collection*, *pinned*, *pin*, *locked*, *editor*, *change*, *batch*.
Which images are in one stands in `access`, as placements in the collection's listing scope, and to whom they are shown
through it, as placements in its sharing scope. Does not own who sees an image: whoever may see a collection sees those
of its images that `access` shows them, and no others.
"""
