"""A gallery behind a real server: six images of one cohort, and everybody who asks for them."""

import io
import random
import secrets
import time

from PIL import Image as Picture

from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.provenance.models import Accession
from medtheca.domains.provenance.publication import decide_publication, request_publication
from medtheca.domains.storage.queries import blob_store
from medtheca.interfaces.http.file_urls import file_url
from tests.factories.accounts import make_token, make_user
from tests.factories.provenance import deliver, make_cohort, make_zip, run_jobs

NAMES = {FileKind.PUBLIC: "full", FileKind.THUMBNAIL: "thumbnail", FileKind.WEB: "web"}


def picture(seed):
    data = io.BytesIO()
    Picture.effect_noise((420, 300), 40 + seed).convert("RGB").save(data, "JPEG", quality=92)
    return data.getvalue()


def cookie_of(user):
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


class Gallery:
    """Alice's cohort with six images, through the real pipeline; three are public."""

    def __init__(self):
        tag = secrets.token_hex(4)
        self.alice = make_user(f"alice-{tag}")
        self.charlie = make_user(f"charlie-{tag}")
        self.sam = make_user(f"sam-{tag}", staff=True)
        self.cohort = make_cohort(self.alice, name=f"Clinic {tag}")
        deliver(self.alice, self.cohort, make_zip([(f"{tag}-{n}.jpg", picture(n)) for n in range(6)]))
        run_jobs()
        accessions = list(Accession.objects.filter(cohort=self.cohort).order_by("pk"))
        assert len(accessions) == 6
        request = request_publication(
            cohort=self.cohort,
            requester=self.alice,
            visibility="public",
            accession_ids=[accession.pk for accession in accessions[:3]],
        )
        decide_publication(request_id=request.pk, staff=self.sam, accept=True)
        run_jobs()
        images = [Image.objects.get(pk=accession.image_id) for accession in accessions]
        self.public, self.private = images[:3], images[3:]
        self.callers = {
            "anybody": {},
            "alice by session": cookie_of(self.alice),
            "alice by token": {"Authorization": f"Bearer {make_token(self.alice)[1]}"},
            "charlie by session": cookie_of(self.charlie),
            "charlie by token": {"Authorization": f"Bearer {make_token(self.charlie)[1]}"},
            "sam by session": cookie_of(self.sam),
        }


def address(image, kind=FileKind.PUBLIC, **options):
    row = ImageFile.objects.select_related("blob").filter(image=image, kind=kind).first()
    return file_url(image, kind, media_type=row.media_type if row else "image/jpeg", **options)


def bytes_of(image, kind=FileKind.PUBLIC):
    with blob_store().open(ImageFile.objects.get(image=image, kind=kind).blob.sha256) as file:
        return file.read()


def seconds_until(condition, limit=62):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit, "it did not come true"
        time.sleep(0.05)
    return time.monotonic() - begun


def new_public_image(gallery):
    tag = secrets.token_hex(4)
    deliver(gallery.alice, gallery.cohort, picture(random.randrange(50)), filename=f"{tag}.jpg")
    run_jobs()
    accession = Accession.objects.get(cohort=gallery.cohort, name=f"{tag}.jpg")
    request = request_publication(
        cohort=gallery.cohort, requester=gallery.alice, visibility="public", accession_ids=[accession.pk]
    )
    decide_publication(request_id=request.pk, staff=gallery.sam, accept=True)
    run_jobs()
    return Image.objects.get(pk=accession.image_id)
