"""Sound files of every format, small, from which damaged ones are made. Patients in their headers are called Canary."""

import gzip
import io
import itertools
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image
from pydicom.uid import generate_uid

from tests.generators import dicoms, images, octs, slides, volumes

CANARY = "Canary"
_UUID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Specimen:
    """The files of one image, the first of them the main one; `photo`: read as a photograph and not as a case."""

    format: str
    variant: str
    files: dict[str, bytes]
    photo: bool = False

    @property
    def main(self) -> str:
        return next(iter(self.files))


@cache
def specimens():
    """All of them, by format."""
    found = {}
    with _numbered_uids():
        for make in (_photographs, _volumes, _dicoms, _octs, _tiffs, _slides):
            for one in make():
                found.setdefault(one.format, []).append(one)
    return found


@contextmanager
def _numbered_uids():
    """The same UIDs each time, so that a seed gives the same files."""
    numbers = itertools.count()

    def numbered():
        return generate_uid(entropy_srcs=[str(next(numbers))])

    kept = dicoms.generate_uid, slides.generate_uid
    dicoms.generate_uid = slides.generate_uid = numbered
    try:
        yield
    finally:
        dicoms.generate_uid, slides.generate_uid = kept


def _photographs():
    yield Specimen("jpeg", "baseline", {"a.jpg": images.jpeg()}, photo=True)
    yield Specimen("jpeg", "progressive", {"a.jpg": images.jpeg(progressive=True)}, photo=True)
    yield Specimen("jpeg", "CMYK", {"a.jpg": images.jpeg("CMYK")}, photo=True)
    exif = images.insert(images.jpeg(), images.segment(0xE1, images.exif(6)))
    yield Specimen("jpeg", "EXIF", {"a.jpg": exif}, photo=True)
    for mode in ("RGB", "P", "I;16", "LA"):
        yield Specimen("png", mode, {"a.png": _png(mode)}, photo=True)


def _png(mode):
    picture = Image.fromarray(images.draw())
    picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257) if mode == "I;16" else picture
    file = io.BytesIO()
    (picture if mode == "I;16" else picture.convert(mode)).save(file, "PNG")
    return file.getvalue()


def _volumes():
    voxels, colours = volumes.draw((24, 20, 6)), volumes.draw((24, 20, 3), "uint8", channels=3)
    yield Specimen("mha", "raw", {"a.mha": volumes.mha(voxels)})
    yield Specimen("mha", "packed", {"a.mha": volumes.mha(voxels, packed=True)})
    yield Specimen("mha", "ascii", {"a.mha": volumes.mha(voxels, ascii_=True)})
    yield Specimen("mha", "colour", {"a.mha": volumes.mha(colours)})
    for name, packed in (("a.raw", False), ("a.zraw", True)):
        header, data = volumes.metaimage(voxels, data_file=name, packed=packed)
        yield Specimen("mhd", name, {"a.mhd": header, name: data})
    placed = {"sform": volumes.affine(), "sform_code": 1}
    for version in (1, 2):
        data = volumes.nifti(voxels, version=version, **placed)
        yield Specimen("nii", f"{version}", {"a.nii": data})
        yield Specimen("nii", f"{version}, big", {"a.nii": volumes.nifti(voxels, version=version, big=True, **placed)})
        yield Specimen("nii.gz", f"{version}", {"a.nii.gz": gzip.compress(data, mtime=0)})
    yield Specimen("nii", "scaled", {"a.nii": volumes.nifti(voxels, scl_slope=0.5, scl_inter=3.0, **placed)})
    for encoding in ("raw", "gzip", "bzip2", "ascii", "hex"):
        yield Specimen("nrrd", encoding, {"a.nrrd": volumes.nrrd(voxels, encoding=encoding)})
    header, _, payload = volumes.nrrd(voxels).partition(b"\n\n")
    yield Specimen("nrrd", "detached", {"a.nhdr": header + b"\ndata file: a.raw\n\n", "a.raw": payload})


def _dicoms():
    grey, byte, twelve = dicoms.phantom((40, 50)), dicoms.smooth(most=255, dtype=np.uint8), dicoms.smooth()
    colour = dicoms.phantom((40, 50, 3), np.uint8)
    plain = {"explicit": dicoms.EXPLICIT, "implicit": dicoms.IMPLICIT, "big": dicoms.BIG, "deflated": dicoms.DEFLATED}
    for name, syntax in plain.items():
        yield Specimen("dicom", name, {"a.dcm": dicoms.dicom(grey, syntax=syntax)})
    yield Specimen("dicom", "RLE", {"a.dcm": dicoms.dicom(grey, syntax=dicoms.RLE, coded=[dicoms.rle(grey)])})
    for name, pixels, number, data in (
        ("JPEG", byte, 50, imagecodecs.jpeg8_encode(byte)),
        ("JPEG of 12 bits", twelve, 51, imagecodecs.jpeg8_encode(twelve, bitspersample=12)),
        ("lossless JPEG", grey, 70, dicoms.lossless_jpeg(grey, 16)),
        ("JPEG-LS", grey, 80, imagecodecs.jpegls_encode(grey)),
        ("JPEG 2000", grey, 90, imagecodecs.jpeg2k_encode(grey, level=0, codecformat="J2K")),
        ("HTJ2K", grey, 201, imagecodecs.htj2k_encode(grey, reversible=True)),
    ):
        yield Specimen("dicom", name, {"a.dcm": dicoms.dicom(pixels, syntax=dicoms.jpeg(number), coded=[data])})
    yield Specimen("dicom", "colour", {"a.dcm": dicoms.write(dicoms.dataset(colour, colour=True), pixels=colour)})
    made = dicoms.series(dicoms.along(range(5)))
    yield Specimen("dicom", "series", {f"{number}.dcm": data for number, data in enumerate(made)})
    yield Specimen("dicom", "enhanced", {"a.dcm": _enhanced()})
    frames = [dicoms.rle(frame) for frame in dicoms.phantom((3, 40, 50), np.uint8)]
    pixels = dicoms.phantom((3, 40, 50), np.uint8)
    yield Specimen("dicom", "frames", {"a.dcm": dicoms.dicom(pixels, syntax=dicoms.RLE, coded=frames, extended=True)})
    yield Specimen("dicom", "report", {"a.dcm": dicoms.write(dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.11"))})


def _enhanced():
    pixels = dicoms.phantom((4, 20, 24), np.int16)
    groups = [
        dicoms.group(
            PlanePositionSequence={"ImagePositionPatient": [0, 0, 3 * number]},
            PixelValueTransformationSequence={"RescaleSlope": str(number + 2), "RescaleIntercept": "0"},
        )
        for number in range(4)
    ]
    shared = dicoms.group(
        PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        PixelMeasuresSequence={"PixelSpacing": [2, 1]},
    )
    return dicoms.enhanced(pixels, groups, shared=shared)


def _octs():
    voxels = dicoms.phantom((4, 30, 40))
    others = (octs.sizes(), octs.captured(1), octs.hardware(), octs.patient("Mary Canary 1947-03-29"))
    yield Specimen("fda", "", {"a.fda": octs.fda(voxels, *others)})
    yield Specimen("fds", "", {"a.fds": octs.fds(voxels, *others)})


_COMPRESSIONS = {
    "none": {}, "lzw": {"compression": "lzw", "predictor": True}, "deflate": {"compression": "adobe_deflate"},
    "packbits": {"compression": "packbits"}, "zstd": {"compression": "zstd"}, "lzma": {"compression": "lzma"},
    "jpeg2000": {"compression": "jpeg2000"}, "tiles": {"tile": (64, 32), "compression": "lzw"},
    "big": {"bigtiff": True}, "other end": {"byteorder": ">"},
}  # fmt: skip


def _tiffs():
    picture = slides.tissue(150, 110)
    grey = np.ascontiguousarray(picture[:, :, 0])
    for name, options in _COMPRESSIONS.items():
        yield Specimen("tiff", name, {"a.tif": _tiff(grey.astype(np.uint16) * 3, **options)})
    for coding in ("jpeg", "webp"):
        yield Specimen("tiff", coding, {"a.tif": _tiff(picture, photometric="rgb", compression=coding)})
    bits = grey > 150
    for name, compression in (("bits", None), ("packed bits", "packbits")):
        yield Specimen("tiff", name, {"a.tif": _tiff(bits, photometric="minisblack", compression=compression)})
    yield Specimen("tiff", "fax 4", {"a.tif": _fax(bits)})
    yield Specimen("tiff", "floats", {"a.tif": _tiff(grey.astype(np.float32), compression="deflate", predictor=True)})
    yield Specimen("tiff", "pages", {"a.tif": _tiff(np.stack([grey] * 3), photometric="minisblack")})
    yield Specimen("tiff", "pyramid", {"a.tif": slides.generic(slides.tissue(256, 256))})
    said = {"axes": "ZCYX", "UUID": _UUID, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    stack = np.stack([grey] * 4).reshape(2, 2, *grey.shape)
    yield Specimen("ome-tiff", "stack", {"a.ome.tif": _tiff(stack, ome=True, metadata=said, photometric="minisblack")})
    data = _tiff(grey, ome=True, metadata={"axes": "YX", "UUID": _UUID}, compression="deflate")
    yield Specimen("ome-tiff", "picture", {"a.ome.tif": data})


def _tiff(data, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, data, **({"metadata": None} | options))
    return file.getvalue()


def _fax(bits):
    file = io.BytesIO()
    Image.fromarray(bits).save(file, "TIFF", compression="group4")
    return file.getvalue()


_SLIDES = {
    "aperio": "svs", "aperio-rgb": "svs", "hamamatsu-ndpi": "ndpi", "leica": "scn", "ventana": "bif",
    "hamamatsu-vms": "vms", "hamamatsu-vmu": "vmu", "mirax": "mrxs", "dicom": "dicom",
}  # fmt: skip


def _slides():
    with tempfile.TemporaryDirectory() as name:
        for maker, (folder, names) in slides.write_all(Path(name), slides.tissue(256, 256)).items():
            if maker in _SLIDES:
                files = {one: (folder / one).read_bytes() for one in names}
                yield Specimen(_SLIDES[maker], f"{maker} slide", files)
