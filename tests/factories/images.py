"""Images in the states that tests need, as rows: nothing is decoded, so a thousand of them take a second.

What they say of their bytes is made up; tests that open files go through `tests.factories.provenance.deliver`.
"""

import hashlib
from itertools import count

from django.db import transaction

from medtheca.base.clock import now
from medtheca.domains.access.operations import place_images, set_visibility
from medtheca.domains.imaging.enums import BASIC_KINDS, FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import create_images
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.enums import AccessionState, DeliveryState, Outcome
from medtheca.domains.provenance.models import Accession, Delivery, Verdict
from medtheca.domains.storage.enums import UploadState
from medtheca.domains.storage.models import Blob, Upload

_numbers = count(1)


def make_images(cohort, number, *, structured=None, visibility="private", delivery=None, names=None, licence=None):
    """Converted images of a cohort: `structured` is one dict for all, or a function of the index. In order."""
    serials = [next(_numbers) for _ in range(number)]
    names = names or [f"photo_{serial:06}.jpg" for serial in serials]
    hashes = [hashlib.sha256(f"{cohort.pk}/{serial}".encode()).hexdigest() for serial in serials]
    with transaction.atomic():
        blobs = Blob.objects.bulk_create([Blob(sha256=digest, size=1000 + at) for at, digest in enumerate(hashes)])
        images = [_image(serial, digest, visibility) for serial, digest in zip(serials, hashes, strict=True)]
        create_images(
            images=images,
            files=[
                ImageFile(
                    image=image,
                    kind=kind,
                    blob=blob,
                    media_type="image/jpeg",
                    recipe="" if kind is FileKind.ORIGINAL else "test 1",
                )
                for image, blob in zip(images, blobs, strict=True)
                for kind in BASIC_KINDS
            ],
        )
        accessions = Accession.objects.bulk_create(
            [
                Accession(
                    cohort=cohort,
                    delivery=delivery,
                    name=name,
                    name_key=name,
                    original_path=f"folder/{name}",
                    creator=cohort.creator,
                    state=AccessionState.CONVERTED,
                    original=blob,
                    image=image,
                    licence=licence or cohort.licence,
                    attribution=cohort.attribution,
                    published=None if visibility == "private" else now(),
                )
                for name, blob, image in zip(names, blobs, images, strict=True)
            ]
        )
        ids = [image.pk for image in images]
        place_images(image_ids=ids, scope_ids=[cohort.scope_id, cohort.contributor.scope_id])
        set_visibility(image_ids=ids, visibility=visibility)
        if structured is not None:
            values = structured if callable(structured) else lambda _: structured
            describe_accessions(
                changes=[Change(accession, values(at)) for at, accession in enumerate(accessions)],
                creator=cohort.creator,
            )
    return images


def _image(serial, digest, visibility):
    return Image(
        public_id=None if visibility == "private" else f"ISIC_{9_000_000 + serial}",
        format="jpeg",
        media_type="image/jpeg",
        width=600,
        height=450,
        colour_space="sRGB",
        bits=8,
        channels=3,
        pixel_hash=digest,
        perceptual_hash=serial,
    )


def make_delivery(cohort, verdicts=(), *, state=DeliveryState.DONE, filename="images.zip"):
    """A delivery whose files were judged: `verdicts` are dicts of fields, with `path` and `outcome` at least."""
    upload = Upload.objects.create(
        owner=cohort.creator, filename=filename, size=10, offset=10, state=UploadState.UNPACKED
    )
    delivery = Delivery.objects.create(
        upload=upload,
        cohort=cohort,
        state=state,
        members=len(verdicts),
        finished=now() if state == DeliveryState.DONE else None,
    )
    Verdict.objects.bulk_create(
        [
            Verdict(
                **{
                    "delivery": delivery,
                    "ordinal": ordinal,
                    "name": fields["path"].rsplit("/", 1)[-1],
                    "size": 1000,
                    "code": fields["outcome"],
                    "words": f"{Outcome(fields['outcome']).label}.",
                    **fields,
                }
            )
            for ordinal, fields in enumerate(verdicts)
        ]
    )
    return delivery
