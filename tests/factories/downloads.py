"""Images whose public files are there, and what a client does with a download."""

import io
import random
import zipfile

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.imaging.operations import assign_public_ids
from tests.factories.images import make_images
from tests.factories.storage import keep


def make_files(cohort, number, *, visibility="public", seed=0, sizes=(1, 40_000), **options):
    """Images of a cohort with public files of random bytes: pairs of image and bytes, by public id."""
    draw = random.Random(f"{cohort.pk}/{seed}")
    images = make_images(cohort, number, visibility=visibility, **options)
    assign_public_ids(image_ids=[image.pk for image in images])
    made = []
    for image in images:
        data = draw.randbytes(draw.randint(*sizes))
        ImageFile.objects.filter(image=image, kind=FileKind.PUBLIC).update(blob=keep(data))
        image.refresh_from_db()
        made.append((image, data))
    return sorted(made, key=lambda pair: pair[0].public_id)


def unzipped(data):
    """Files of a ZIP by path; each is checked against its CRC-32."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}
