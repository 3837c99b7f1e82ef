"""The limit of ingest on one core: SHA-256 of the file, every pixel decoded, a thumbnail made; nothing is kept."""

import hashlib
import statistics
import time

import numpy as np
import simplejpeg
from PIL import Image


def core(data: bytes) -> bytes:
    """The least that has to be done for one JPEG."""
    hashlib.sha256(data).digest()
    picture = Image.fromarray(simplejpeg.decode_jpeg(data))
    picture.thumbnail((256, 256), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return simplejpeg.encode_jpeg(np.ascontiguousarray(np.asarray(picture)), quality=75)


def milliseconds(files: list[bytes], *, rounds: int = 3) -> float:
    """Processor milliseconds of `core` for one file: the median of rounds over all files, after one to warm up."""
    for data in files[:20]:
        core(data)
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        for data in files:
            core(data)
        spent.append(time.process_time() - begun)
    return statistics.median(spent) / len(files) * 1e3
