"""What the demo brings in: the ISIC 2017 challenge where its files are, drawn pictures elsewhere, and photographs."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings

from medtheca.toolkit.synthetic import ATTRIBUTION, LICENCE, Photograph, as_zip_and_csv, find_photographs

SYNTHETIC_PICTURES = 300
_FIRST_PICTURES = 40
_CHALLENGE = "ISIC 2017 challenge: {}"
_ABOUT_CHALLENGE = """The {} set of the ISIC Challenge 2017, Skin Lesion Analysis Towards Melanoma Detection.

Dermoscopic images, each with what was published of its lesion."""
_MSKCC = "Memorial Sloan Kettering Cancer Center"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """A cohort of the demo. `files` and `spreadsheet` are made only when they are needed.

    `collection` is what the public collection of its images is called, if there is to be one.
    """

    cohort: str
    institution: str
    licence: str
    attribution: str
    files: Callable[[], list[Path]]
    spreadsheet: Callable[[], bytes] | None = None
    recipe: str = ""
    collection: str = ""
    collection_description: str = ""


def find_samples() -> Path | None:
    """The folder of sample images: as MEDTHECA_SAMPLES says, or `shared/data` beside the repository."""
    chosen: Path | None = settings.ENVIRONMENT.samples
    folder = chosen or Path(__file__).resolve().parents[3].parent / "shared" / "data"
    return folder if folder.is_dir() else None


def demo_parts(folder: Path, *, say: Say, drawn: int = SYNTHETIC_PICTURES) -> Iterator[Part]:
    """The cohorts of the demo, small ones first, so that there is soon something to look at.

    `drawn` pictures where there are no sample images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples = find_samples()
    yield from _photographs()
    if samples is not None and (samples / "isic2017" / "training.zip").is_file():
        yield from _challenge(samples / "isic2017")
    else:
        say("No sample images were found (MEDTHECA_SAMPLES); pictures are drawn instead")
        yield from _drawn(folder, drawn, say)


def _challenge(folder: Path) -> Iterator[Part]:
    for name in ("validation", "test", "training"):
        images = folder / f"{name}.zip"
        published = folder / f"{name}.csv"
        yield Part(
            cohort=_CHALLENGE.format(name),
            institution=_MSKCC,
            licence="CC0-1.0",
            attribution=_MSKCC,
            files=partial(list, [images]),
            # No spreadsheet of the test set is at hand; its names alone still say what kind of picture these are.
            spreadsheet=published.read_bytes if published.is_file() else partial(_names_only, images),
            recipe="isic2017",
            collection=f"Challenge 2017: {name.capitalize()}",
            collection_description=_ABOUT_CHALLENGE.format(name),
        )


def _names_only(images: Path) -> bytes:
    with zipfile.ZipFile(images) as archive:
        names = [Path(name).stem for name in archive.namelist()]
    return ("image_id,age_approximate,sex,melanoma\n" + "".join(f"{name},,,\n" for name in names)).encode()


def _drawn(folder: Path, number: int, say: Say) -> Iterator[Part]:
    """Two cohorts from two seeds: a small one that is soon there, and the rest."""
    for name, count, seed in (
        ("Synthetic lesions: first", min(_FIRST_PICTURES, number // 2), 1),
        ("Synthetic lesions", number - min(_FIRST_PICTURES, number // 2), 2),
    ):
        drawn = _Drawn(folder, name, count, seed, say)
        yield Part(
            cohort=name,
            institution="Medtheca's drawing programme",
            licence=LICENCE,
            attribution=ATTRIBUTION,
            files=drawn.files,
            spreadsheet=drawn.spreadsheet,
        )


@dataclass(slots=True)
class _Drawn:
    """Pictures that the project draws itself; files are kept, so that a second start does not draw again."""

    folder: Path
    name: str
    count: int
    seed: int
    say: Say

    def files(self) -> list[Path]:
        images, _ = self._draw()
        return [images]

    def spreadsheet(self) -> bytes:
        _, rows = self._draw()
        return rows.read_bytes()

    def _draw(self) -> tuple[Path, Path]:
        images, rows = self.folder / f"drawn-{self.seed}.zip", self.folder / f"drawn-{self.seed}.csv"
        if not rows.exists():
            self.say(f"{self.name}: drawing {self.count} pictures")
            with images.open("wb") as file:
                text = as_zip_and_csv(file, self.count, seed=self.seed)
            # Whole or not there: it says that the pictures are whole too.
            fresh = rows.with_suffix(".part")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(rows)
        return images, rows


def _photographs() -> Iterator[Part]:
    for photograph in find_photographs():
        # The source of one knows of no restriction but names no licence; its own words go with it as attribution.
        terms = "" if photograph.licence else f" ({photograph.statement.rstrip('.')})"
        yield Part(
            cohort=f"Photograph: {photograph.title}",
            institution="Photographs that ship with scikit-image",
            licence=photograph.licence or "CC0-1.0",
            attribution=f"{photograph.attribution}{terms}"[:200],
            files=partial(list, [photograph.path]),
            spreadsheet=partial(_describe, photograph),
        )


def _describe(photograph: Photograph) -> bytes:
    row = {
        "filename": photograph.path.name,
        "title": photograph.title,
        "modality": photograph.modality,
        "origin": photograph.origin,
        "source_url": photograph.source_url,
        "terms": photograph.statement,
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, row)
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()
