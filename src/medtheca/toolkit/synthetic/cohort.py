"""Pictures and rows as a contributor would hand them in."""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from medtheca.toolkit.synthetic.cases import Picture, invent_picture, invent_pictures
from medtheca.toolkit.synthetic.drawing import draw_picture

SIZE = (600, 450)
"""Width and height in pixels, those of many a dermoscopic data set."""
COHORT_SEED = 2017


@dataclass(frozen=True)
class SyntheticLesion:
    """A drawn picture, and its values by the names of the dermatology fields, none of them about anybody."""

    jpeg: bytes
    metadata: dict[str, str]


def draw_lesion(seed: int, *, size: tuple[int, int] = SIZE) -> SyntheticLesion:
    """One picture of one lesion of one patient; the same seed gives the same picture and values."""
    picture = invent_picture(seed)
    return SyntheticLesion(jpeg=_draw(picture, size), metadata=picture.metadata())


def synthetic_cohort(
    count: int = 300, *, seed: int = COHORT_SEED, size: tuple[int, int] = SIZE
) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """(file name, JPEG, row) of `count` pictures, each drawn when it is asked for."""
    for number, picture in enumerate(invent_pictures(count, seed), start=1):
        yield f"synthetic_{number:05d}.jpg", _draw(picture, size), picture.metadata()


def as_zip_and_csv(file: BinaryIO, count: int = 300, *, seed: int = COHORT_SEED, size: tuple[int, int] = SIZE) -> str:
    """Write the cohort's pictures to `file` as a ZIP; the metadata CSV comes back, its first column `filename`."""
    table = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    with zipfile.ZipFile(file, "w") as archive:
        for name, jpeg, row in synthetic_cohort(count, seed=seed, size=size):
            # A fixed date, so that the same seed gives the same ZIP.
            archive.writestr(zipfile.ZipInfo(f"pictures/{name}", (2017, 3, 1, 0, 0, 0)), jpeg)
            if writer is None:
                writer = csv.DictWriter(table, ["filename", *row])
                writer.writeheader()
            writer.writerow({"filename": name} | row)
    return table.getvalue()


def _draw(picture: Picture, size: tuple[int, int]) -> bytes:
    lesion = picture.lesion
    return draw_picture(
        lesion.kind.paint, lesion_seed=lesion.seed, view_seed=picture.seed, view=picture.view, size=size
    )
