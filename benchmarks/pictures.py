"""Inputs: photographs as a dermoscope gives them, made from seeds and kept for the next run; and the challenge's."""

import hashlib
import io
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from medtheca.toolkit.synthetic import draw_lesion

WIDTH, HEIGHT = 1024, 768
_QUALITY = 90
_BASES = 24  # drawn lesions; every photograph is one of them, turned, moved and with grain of its own
_VERSION = 3


def photographs(count: int) -> Path:
    """A stored ZIP of `count` distinct JPEGs of 1,024 by 768 pixels, about 200 KB each, with the EXIF of a camera."""
    folder = Path(tempfile.gettempdir()) / f"medtheca-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"photographs-{_VERSION}-{count}.zip"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        _write(unfinished, count)
        unfinished.rename(path)
    return path


def _write(path: Path, count: int) -> None:
    bases = [_base(seed) for seed in range(min(_BASES, count))]
    grain = np.random.default_rng(1).normal(0, 5.5, (HEIGHT * 2, WIDTH * 2)).astype(np.float32)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            name = zipfile.ZipInfo(f"photographs/DSC{number:05d}.JPG", (2024, 1, 2, 3, 4, 4))
            archive.writestr(name, _photograph(number, bases[number % len(bases)], grain))


def _base(seed: int) -> np.ndarray:
    jpeg = draw_lesion(seed, size=(WIDTH, HEIGHT)).jpeg
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), dtype=np.float32)


def _photograph(number: int, base: np.ndarray, grain: np.ndarray) -> bytes:
    rng = np.random.default_rng(number)
    top, left = rng.integers(0, HEIGHT), rng.integers(0, WIDTH)
    picture = np.roll(base[:, :: rng.choice((-1, 1))], int(rng.integers(-40, 40)), axis=1)
    picture = picture * rng.uniform(0.94, 1.04) + grain[top : top + HEIGHT, left : left + WIDTH, None]
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Exampleton Optics", "Dermoscope 3"
    exif[0x0132], exif[0x013B] = "2024:01:02 03:04:05", f"Patient {number}"
    file = io.BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=_QUALITY, exif=exif)
    return file.getvalue()


def challenge() -> Path | None:
    """The training images of the ISIC 2017 challenge, as they came, where the samples have them."""
    samples = os.environ.get("MEDTHECA_SAMPLES") or Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(samples) / "isic2017" / "training.zip"
    return path if path.is_file() else None


def read_jpegs(path: Path) -> list[bytes]:
    """The JPEGs of a ZIP."""
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist() if name.lower().endswith(".jpg")]


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
