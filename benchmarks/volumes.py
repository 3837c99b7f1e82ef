"""Volumes → what the archive keeps of them, against panimg in the same run.

Ours is everything that the sandbox's task does: read strictly, check the grid, write `.mha`, reduced volume, geometry,
pictures and hashes. panimg's is its conversion to `.mha` without post-processing. Both are warm, in one process, and
counted is processor time. Voxels and geometry of both are compared, so that nobody is fast by being wrong.
"""

import gzip
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

from benchmarks.figures import figure, is_quick, skipped
from medtheca.toolkit.images import case_task
from medtheca.toolkit.images.case_reports import CASE_PARTS
from tests.contract.environments import environment_with
from tests.generators import dicoms

_PEER = Path(__file__).parent / "peers" / "panimg_volumes.py"
_SLICES, _SIDE = 100, 512
_SPACING = (0.7, 0.7, 2.5)
_ROUNDS = 3


def run() -> Iterator[dict[str, Any]]:
    """Processor time against panimg's for a series, NIfTI and MetaImage; stored bytes of one original byte."""
    try:
        peer = environment_with("panimg==0.18.2", python=(3, 10), beside=("pyvips-binary", "openslide-bin"))
    except pytest.skip.Exception as reason:  # how the environments say that there is no Python or no index
        peer = None
        why = str(reason)
    with tempfile.TemporaryDirectory() as name:
        for kind, folder in _make(Path(name)).items():
            ours = min((_ours(folder) for _ in range(_rounds())), key=lambda found: found["cpu"])
            original = sum(path.stat().st_size for path in folder.iterdir())
            facts = {"megabytes": round(original / 1e6, 1), "ours_cpu_s": round(ours["cpu"], 3)}
            most = 1.6 if kind == "series" else None
            yield figure(
                f"volumes.{kind}.stored", 1 + ours["bytes"] / original, "stored bytes of one byte", at_most=most
            )
            if peer is None:
                yield skipped(f"volumes.{kind}.of_panimg", why)
                continue
            theirs = _theirs(peer, folder, Path(name))
            same = _compare(ours["mha"], theirs["mha"])
            facts |= {"panimg_cpu_s": round(theirs["cpu"], 3), "same_voxels_and_geometry": same}
            yield figure(f"volumes.{kind}.of_panimg", ours["cpu"] / theirs["cpu"], "of its CPU", at_most=0.8, **facts)


def _rounds() -> int:
    return 1 if is_quick() else _ROUNDS


def _make(above: Path) -> dict[str, Path]:
    """A head of 100 slices with detector noise, as a series, NIfTI, packed NIfTI, and MetaImage raw and packed."""
    slices = 20 if is_quick() else _SLICES
    voxels = _head(slices)
    folders = {name: above / name for name in ("series", "nifti", "nifti_packed", "mha", "mha_packed")}
    for folder in folders.values():
        folder.mkdir()
    places = dicoms.along([_SPACING[2] * number for number in range(slices)])
    common = {"PixelSpacing": [0.7, 0.7], "Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024}
    for number, data in enumerate(dicoms.series(places, pixels=list(voxels), **common)):
        (folders["series"] / f"{number:03}.dcm").write_bytes(data)
    image = nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.diag([*_SPACING, 1.0]))
    plain = image.to_bytes()
    (folders["nifti"] / "a.nii").write_bytes(plain)
    (folders["nifti_packed"] / "a.nii.gz").write_bytes(gzip.compress(plain, 6))
    itk = SimpleITK.GetImageFromArray(voxels)
    itk.SetSpacing(_SPACING)
    SimpleITK.WriteImage(itk, str(folders["mha"] / "a.mha"), useCompression=False)
    SimpleITK.WriteImage(itk, str(folders["mha_packed"] / "a.mha"), useCompression=True)
    return folders


def _head(slices: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    rng = np.random.default_rng(5)
    z, y, x = np.ogrid[-1 : 1 : slices * 1j, -1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    inside = (x / 0.7) ** 2 + (y / 0.85) ** 2 + (z / 0.95) ** 2
    tissue = np.where(inside < 0.85, 1064, np.where(inside < 1, 1900, 0))
    noise = rng.normal(0, 12, (slices, _SIDE, _SIDE)) * (inside < 1)
    return (tissue + noise).clip(0, 4095).astype(np.int16)


def _ours(folder: Path) -> dict[str, Any]:
    outputs = {name: io.BytesIO() for name in CASE_PARTS}
    main = min(path.name for path in folder.iterdir())
    began = time.process_time()
    case_task.run(folder, outputs, {"main": main}, lambda _share: None)
    cpu = time.process_time() - began
    made = {name: file.getvalue() for name, file in outputs.items()}
    return {"cpu": cpu, "bytes": sum(map(len, made.values())), "mha": made["public"]}


def _theirs(python: Path, folder: Path, above: Path) -> dict[str, Any]:
    target = above / "panimg"
    target.mkdir(exist_ok=True)
    command = [str(python), str(_PEER), str(folder), str(target), str(_rounds())]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    found = json.loads(told.stdout.splitlines()[-1])
    return {"cpu": found["cpu"], "mha": Path(found["file"]).read_bytes()}


def _compare(ours: bytes, theirs: bytes) -> bool:
    with tempfile.TemporaryDirectory() as name:
        read = []
        for place, data in enumerate((ours, theirs)):
            path = Path(name) / f"{place}.mha"
            path.write_bytes(data)
            read.append(SimpleITK.ReadImage(str(path)))
        mine, other = read
        equal = np.array_equal(SimpleITK.GetArrayFromImage(mine), SimpleITK.GetArrayFromImage(other))
        placed = all(
            np.allclose(getattr(mine, ask)(), getattr(other, ask)(), atol=1e-4)
            for ask in ("GetSpacing", "GetOrigin", "GetDirection")
        )
        return bool(equal and placed)
