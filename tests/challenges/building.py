"""Brings the challenges' images into an archive as people would, and makes the collections: run within Django.

`medtheca manage shell -c "from tests.challenges.building import build; build(100, 'drawn')"`. What is there already is
not brought in twice, and what was cut off goes on.
"""

import csv
import io
import time
import zipfile
from functools import partial
from pathlib import Path

from django.db import transaction

from medtheca.base.failures import WorkStopped
from medtheca.domains.accounts.models import User
from medtheca.domains.collections.batches import PART
from medtheca.domains.collections.contents import add_images
from medtheca.domains.collections.operations import create_collection, set_pinned
from medtheca.domains.collections.queries import collections_of
from medtheca.domains.provenance.models import Accession
from medtheca.interfaces.cli.waiting import let_work
from medtheca.toolkit.synthetic import draw_lesion
from medtheca.workflows.decoding import close_decoder_pool
from medtheca.workflows.demo import run_demo
from medtheca.workflows.demo_parts import Part, demo_parts
from tests.challenges.table import COHORTS, COLLECTIONS, DEMO, places, scaled

SIZE = (64, 64)
_A_ZIP = 5000
_OWNER, _STAFF = "owner@demo.localhost", "staff@demo.localhost"


def build(scale, folder):
    """Fill the archive; one image of `scale`. Drawn files lie in `folder` until they are in."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        run_demo(say=say, pause=pause, parts=parts(scale, folder))
    finally:
        close_decoder_pool()
    for name, wanted in COLLECTIONS.items():
        fill(name, [image for part in wanted for image in images_of(part, scale)])


def parts(scale, folder):
    """Cohorts to bring in: at full size the demo's own where its images are at hand, all others drawn."""
    real = [part for part in demo_parts(folder, say=say) if part.collection] if scale == 1 else []
    yield from real
    for number, cohort in enumerate(COHORTS):
        if real and cohort in DEMO:
            continue
        drawn = folder / str(number)
        first = 10_000_000 * (number + 1)
        yield Part(
            cohort=cohort.name,
            institution=cohort.contributor,
            licence="CC-BY-NC-4.0",
            attribution=cohort.contributor,
            files=partial(draw, drawn, first, scaled(cohort.number, scale)),
            spreadsheet=partial(describe, drawn),
        )
        for file in drawn.glob("*.zip"):
            file.unlink()  # They are in by now.


def draw(folder, first, number):
    """ZIPs of so many pictures, each of another lesion; the values of all of them beside."""
    folder.mkdir(exist_ok=True)
    rows, zips = [], []
    for start in range(0, number, _A_ZIP):
        zips.append(folder / f"{start:06}.zip")
        with zipfile.ZipFile(zips[-1], "w") as packed:
            for place in range(start, min(start + _A_ZIP, number)):
                lesion, name = draw_lesion(first + place, size=SIZE), f"lesion_{place:06}.jpg"
                packed.writestr(name, lesion.jpeg)
                rows.append({"filename": name} | lesion.metadata)
        say(f"{min(start + _A_ZIP, number):,} of {number:,} pictures are drawn")
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    (folder / "values.csv").write_text(text.getvalue())
    return zips


def describe(folder):
    return (folder / "values.csv").read_bytes()


def images_of(part, scale):
    """Keys of the images of a part of a cohort."""
    named = Accession.objects.filter(cohort__name=part.cohort.name, published__isnull=False).order_by("name_key")
    images = list(named.values_list("image", flat=True))
    assert len(images) == scaled(part.cohort.number, scale), (part.cohort.name, len(images))
    return [images[place] for place in places(part, scale)]


def fill(name, images):
    """Make a public collection, pinned, and put images into it, as far as that has not been done."""
    owner, staff = User.objects.get(email=_OWNER), User.objects.get(email=_STAFF)
    collection = collections_of(owner).filter(name=name).first()
    with transaction.atomic():
        collection = collection or create_collection(creator=owner, name=name, public=True)
        for start in range(0, len(images), PART):
            add_images(collection=collection, actor=owner, image_ids=images[start : start + PART])
        set_pinned(collection=collection, actor=staff, pinned=True)
    say(f"{name}: {len(images):,} images")


def pause():
    """Let workers work, as `medtheca demo` does; ends where jobs fail again and again."""
    try:
        let_work(lambda: False)
    except WorkStopped as stopped:
        raise SystemExit(str(stopped)) from stopped
    time.sleep(0.5)


_said = []


def say(line):
    if _said[-1:] != [line]:
        _said.append(line)
        print(line, flush=True)
