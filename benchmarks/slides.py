"""A slide of two gigapixels → pyramid: the memory and processor time of the process that makes it.

The slide is made for the purpose: a tiled TIFF whose tiles repeat sixteen pictures, once as JPEG (its tiles are copied)
and once uncompressed (they are decoded and coded anew). It is converted by the task that the sandbox runs, in a process
of its own whose peak is its resident set at most, mapped pages of the slide among it.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import figure, is_quick, skipped
from tests.generators import slides
from tests.samples import sample_dir

_TILE, _PICTURES = 256, 16
_ACROSS = 176  # tiles a side: 45,056 pixels, 2.03 gigapixels
_SAMPLE = "svs/CMU-1-Small-Region.svs"


def run() -> Iterator[dict[str, Any]]:
    """Figures for copied and for coded tiles, and what is stored of a real slide."""
    across = 32 if is_quick() else _ACROSS
    with tempfile.TemporaryDirectory() as name:
        for coding in ("jpeg", "raw"):
            # Sixteen pictures of an uncompressed slide stand for all its tiles: the file itself stays small.
            path = Path(name) / f"{coding}.tif"
            path.write_bytes(_slide(across, coding))
            found = _convert(path, Path(name))
            facts = {"gigapixels": round((across * _TILE) ** 2 / 1e9, 2), "copied": found["copied"]}
            yield figure(f"slides.{coding}.memory", found["peak_mb"], "MB", at_most=500, **facts)
            yield figure(f"slides.{coding}.cpu", found["cpu"] / facts["gigapixels"], "s CPU a gigapixel", **facts)
        real = sample_dir() / _SAMPLE
        if not real.is_file():
            yield skipped("slides.stored", f"no {_SAMPLE} in MEDTHECA_SAMPLES")
            return
        found = _convert(real, Path(name))
        size = real.stat().st_size
        stored = 1 + found["stored"] / size
        facts = {"copied": found["copied"], "without_ranges": round(1 + found["bytes"] / size, 2)}
        yield figure("slides.stored", stored, "stored bytes of one byte", at_most=1.5, **facts)


def _slide(across: int, coding: str) -> bytes:
    """Tiles in the order in which they lie, each one of sixteen; equal ones share their bytes."""
    tags, pieces = slides.page(slides.tissue(4 * _TILE, 4 * _TILE), coding="jpeg", side=_TILE)
    if coding == "raw":
        tags, _ = slides.page(slides.tissue(_TILE, _TILE), coding="raw", side=_TILE)
        pieces = [slides.tissue(_TILE, _TILE, seed).tobytes() for seed in range(_PICTURES)]
    tags = {**tags, 256: (slides.LONG, across * _TILE), 257: (slides.LONG, across * _TILE)}
    order = [(7 * place + place // across) % len(pieces) for place in range(across * across)]
    return slides.tiff([(tags, pieces)], big=True, order_of_pieces=order)


def _convert(path: Path, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.peers.one_case", str(path), str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3000)
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found
