"""Collections in the states that tests need, made through the real operations."""

from medtheca.domains.collections.contents import add_images
from medtheca.domains.collections.operations import create_collection
from medtheca.domains.collections.sharing import share


def make_collection(owner, images=(), *, name="Moles", public=False, shared_with=(), groups=(), editors=()):
    """A collection of somebody with images, shared with people and groups; editors are people."""
    made = create_collection(creator=owner, name=name, public=public)
    if images:
        add_images(collection=made, actor=owner, image_ids=[image.pk for image in images])
    if shared_with or groups:
        share(
            collection=made, actor=owner, users=list(shared_with), group_ids=[group.pk for group in groups], tell=False
        )
    if editors:
        share(collection=made, actor=owner, users=list(editors), as_editors=True, tell=False)
    return made
