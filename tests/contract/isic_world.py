"""What `test_isic_cli.py` finds in the archive. Run there by `manage shell`; prints what the tests have to know."""

import io
import json
import time

import numpy as np
from django.db import transaction
from PIL import Image as Picture

from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import set_visibility
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.operations import create_collection, set_locked
from medtheca.domains.imaging.operations import assign_public_ids
from medtheca.domains.provenance.models import Accession, Delivery
from medtheca.workflows.correct import correct_metadata
from tests.contract.isic import VERSIONS
from tests.factories.provenance import deliver, make_cohort, make_zip

LYMPHOMA = "Malignant:Lymphocytic proliferations - T-Cell/NK:Primary cutaneous CD30+ lymphoproliferative disease"
SAID = {
    "mole.jpg": {"age": 33, "sex": "male", "image_type": "dermoscopic", "diagnosis": "Nevus"},
    "spot.png": {"age": 58, "sex": "female", "image_type": "dermoscopic", "patient_id": "p1", "lesion_id": "l1"},
    "cd30.jpg": {"age": 61, "sex": "male", "diagnosis": LYMPHOMA},
    "zero.jpg": {"age": 40, "sex": "female"},
    "hidden.jpg": {"age": 27, "sex": "male", "image_type": "dermoscopic"},
}


def picture(seed, kind):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), np.uint8)
    Picture.fromarray(pixels).save(file, kind)
    return file.getvalue()


def take_in(owner, names, **cohort):
    """A cohort with pictures of these names, once the workers have made images of them."""
    made = make_cohort(owner, **cohort)
    files = [
        (name, picture(len(name) * 7 + at, "PNG" if name.endswith("png") else "JPEG")) for at, name in enumerate(names)
    ]
    with transaction.atomic():
        delivery = deliver(owner, made, make_zip(files))
    until = time.monotonic() + 120
    while Delivery.objects.get(pk=delivery).state != "done":
        assert time.monotonic() < until, "nothing is converted"
        time.sleep(0.2)
    found = {row.name: row for row in Accession.objects.filter(cohort=made).select_related("image")}
    for name in names:
        correct_metadata(user=owner, changes=SAID[name], accession_id=found[name].pk)
    return made, found


def publish(rows, visibility):
    ids = [row.image_id for row in rows]
    assign_public_ids(image_ids=ids)
    set_visibility(image_ids=ids, visibility=visibility)


def main():
    alice, bob = (User.objects.get(email=f"{name}@example.org") for name in ("alice", "bob"))
    clinic, found = take_in(alice, ["mole.jpg", "spot.png", "cd30.jpg", "hidden.jpg"])
    other, free = take_in(alice, ["zero.jpg"], name="Free", licence="CC0-1.0", attribution="Anonymous")
    publish([found["mole.jpg"], found["spot.png"], found["cd30.jpg"], free["zero.jpg"]], Visibility.PUBLIC)
    publish([found["hidden.jpg"]], Visibility.PRIVATE)
    images = {}
    for name, row in (found | free).items():
        row.image.refresh_from_db()
        images[name] = row.image.public_id
    collections = {
        "hers": create_collection(creator=alice, name="Of Alice", description="", public=False),
        **{
            f"{name} {version}": create_collection(
                creator=alice, name=f"{name} {version}", description="", public=False
            )
            for name in ("changed", "narrow")
            for version in VERSIONS
        },
        "open": create_collection(creator=alice, name="For all", description="", public=True),
        "locked": create_collection(creator=alice, name="Closed", description="", public=False),
        "bobs": create_collection(creator=bob, name="Of Bob", description="", public=False),
    }
    set_locked(collection=collections["locked"], actor=alice, locked=True)
    print(
        json.dumps(
            {
                "images": images,
                "cohort": clinic.pk,
                "other": other.pk,
                "collections": {name: row.pk for name, row in collections.items()},
            }
        )
    )


main()
