"""What somebody sees of a collection."""

from medtheca.domains.access.queries import viewer_of
from medtheca.domains.access.serving import find_served_image
from medtheca.domains.collections.queries import (
    COVERS,
    count_images,
    covers_of,
    credits_of,
    images_in,
)


def ids(images):
    return sorted(image.pk for image in images)


def seen(collection, person):
    """What somebody sees of a collection: listed, counted and served are one."""
    found = ids(images_in(collection, person))
    assert count_images([collection], person)[collection.pk] == len(found)
    assert ids(covers_of([collection], person)[collection.pk]) == found[:COVERS]
    assert sum(credit.count for credit in credits_of(collection, person)) == len(found)
    for image in images_in(collection, person):
        assert find_served_image(viewer_of(person), str(image.key)) is not None
    return found
