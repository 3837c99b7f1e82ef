"""Alice's volumes, slides and documents on the real web process, public and private ones."""

import secrets
import time

import numpy as np

from medtheca.domains.imaging.models import ImageFile
from medtheca.domains.storage.queries import blob_store
from tests.factories.accounts import make_token, make_user
from tests.factories.cases import draw_slide, make_document, make_slide, make_volume
from tests.factories.provenance import make_cohort
from tests.generators import volumes

WITHIN = 60
"""Seconds within which every door is closed to whoever lost a right."""


class Cases:
    """One of each kind, `public` and `private`, by kind; and who asks for them, by headers."""

    def __init__(self, folder):
        tag = secrets.token_hex(4)
        self.alice = make_user(f"alice-{tag}")
        self.charlie = make_user(f"charlie-{tag}")
        self.sam = make_user(f"sam-{tag}", staff=True)
        self.cohort = make_cohort(self.alice, name=f"Radiology {tag}")
        self.voxels = volumes.draw((160, 140, 9))
        self.pixels = draw_slide()
        self.public, self.private = self._make(folder, "public"), self._make(folder, "private")
        self.callers = {
            "anybody": {},
            "alice by session": cookie_of(self.alice),
            "alice by token": {"Authorization": f"Bearer {make_token(self.alice)[1]}"},
            "charlie by session": cookie_of(self.charlie),
            "sam by session": cookie_of(self.sam),
        }

    def _make(self, folder, visibility):
        return {
            "volume": make_volume(self.cohort, folder, self.voxels, visibility=visibility),
            "slide": make_slide(self.cohort, folder, self.pixels, visibility=visibility),
            "document": make_document(self.cohort, folder, visibility=visibility),
        }


MAY_SEE_PRIVATE = {"alice by session", "alice by token", "sam by session"}


def cookie_of(user):
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def bytes_of(image, kind):
    with blob_store().open(ImageFile.objects.get(image=image, kind=kind).blob.sha256) as file:
        return file.read()


def psnr(one, other):
    """How alike two pictures are, in dB."""
    error = np.mean((one.astype(float) - other.astype(float)) ** 2)
    return 99.0 if not error else 10 * np.log10(255**2 / error)


def until(condition):
    """Wait for a state of the server, which hears of changes by notifications; never longer than the promise."""
    end = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < end, "the door is open after a minute"
        time.sleep(0.1)
