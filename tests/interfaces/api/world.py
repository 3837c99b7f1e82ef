"""A small archive for the API's tests: people, tokens, cohorts, images in every state of visibility."""

import hashlib
import itertools

from django.test import Client

from medtheca.base.clock import now
from medtheca.domains.access.enums import Visibility
from medtheca.domains.access.operations import place_images, set_visibility
from medtheca.domains.accounts.operations import revoke_token
from medtheca.domains.imaging.enums import FileKind
from medtheca.domains.imaging.models import Image, ImageFile
from medtheca.domains.imaging.operations import assign_public_ids, create_images
from medtheca.domains.metadata.operations import Change, describe_accessions
from medtheca.domains.provenance.enums import AccessionState
from medtheca.domains.provenance.models import Accession
from medtheca.domains.storage.models import Blob
from tests.factories.accounts import make_token

HOST = "archive.example.org"
_numbers = itertools.count(1)


def make_image(cohort, *, visibility=Visibility.PRIVATE, opens=None, structured=None, published=None, groups=()):
    """A converted image of a cohort with an original, a public file and a thumbnail; published unless private."""
    [image] = make_images(
        cohort, 1, visibility=visibility, opens=opens, structured=structured, published=published, groups=groups
    )
    return image


def make_images(
    cohort, number, *, visibility=Visibility.PRIVATE, opens=None, structured=None, published=None, groups=()
):
    """Images as `make_image` makes them, in the order in which lists show them."""
    wanted = visibility != Visibility.PRIVATE if published is None else published
    images, files = [], []
    for n in itertools.islice(_numbers, number):
        image = Image(
            format="JPEG",
            media_type="image/jpeg",
            width=640,
            height=480,
            colour_space="sRGB",
            bits=8,
            channels=3,
            pixel_hash=f"{n:064x}",
            perceptual_hash=n,
        )
        images.append(image)
        recipes = {FileKind.ORIGINAL: "", FileKind.PUBLIC: "strip", FileKind.THUMBNAIL: "thumbnail"}
        files += [
            ImageFile(image=image, kind=kind, blob=make_blob(f"{kind}{n}"), media_type="image/jpeg", recipe=recipe)
            for kind, recipe in recipes.items()
        ]
    create_images(images=images, files=files)
    ids = [image.pk for image in images]
    accessions = Accession.objects.bulk_create(
        Accession(
            cohort=cohort,
            name=f"{image.pk}.jpg",
            name_key=f"{image.pk}.jpg",
            creator=cohort.creator,
            state=AccessionState.CONVERTED,
            original=original.blob,
            image=image,
            licence=cohort.licence,
            attribution=cohort.attribution,
            published=now() if wanted else None,
        )
        for image, original in zip(images, files[::3], strict=True)
    )
    place_images(image_ids=ids, scope_ids=[cohort.scope_id, cohort.contributor.scope_id])
    if wanted:
        assign_public_ids(image_ids=ids)
    set_visibility(image_ids=ids, visibility=visibility, opens=opens, group_ids=[group.pk for group in groups])
    if structured is not None:
        changes = [Change(accession, structured) for accession in accessions]
        describe_accessions(changes=changes, creator=cohort.creator)
    for pk in ids:
        # Now() is the same for a whole transaction, and a test is one: spread the images as real batches are.
        Image.objects.filter(pk=pk).update(created=now())
    return list(Image.objects.filter(pk__in=ids).order_by("created", "pk"))


def make_blob(text):
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Blob.objects.create(sha256=digest, size=1000 + len(text) + int(digest[:2], 16))


class Caller:
    """Asks the API as somebody, by token, by session, or as nobody; answers carry their parsed `body`."""

    def __init__(self, *, secret="", user=None, agent=""):
        self.client = Client(enforce_csrf_checks=True)
        self.headers = {"host": HOST}
        if secret:
            self.headers["authorization"] = f"Bearer {secret}"
        if agent:
            self.headers["user-agent"] = agent
        if user is not None:
            self.client.force_login(user)
            self.client.cookies["csrftoken"] = "c" * 32
            self.headers |= {"x-csrftoken": "c" * 32, "origin": f"http://{HOST}"}

    def ask(self, method, path, data=None, **headers):
        path = path if path.startswith(("http", "/")) else f"/api/v2/{path}"
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        json = {} if data is None else {"data": data, "content_type": "application/json"}
        answer = getattr(self.client, method.lower())(path, headers=headers, **json)
        answer.body = answer.json() if "json" in answer.headers.get("Content-Type", "") and answer.content else None
        return answer

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, data, **headers):
        return self.ask("POST", path, data, **headers)


def by_token(user, scope="read", **options):
    return Caller(secret=make_token(user, scope)[1], **options)


def by_session(user):
    return Caller(user=user)


def by_revoked_token(user, **options):
    token, secret = make_token(user, "write")
    revoke_token(user=user, token_id=token.pk)
    return Caller(secret=secret, **options)


def nobody(**options):
    return Caller(**options)


def walk(caller, path):
    """Every row of a list, page by page, as clients walk it; checks that only the first page counts."""
    page = caller.get(path).body
    rows, count = page["results"], page["count"]
    while page["next"]:
        page = caller.get(page["next"]).body
        assert page["count"] is None
        rows += page["results"]
    assert len(rows) == count
    return rows
