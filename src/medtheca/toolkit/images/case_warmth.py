"""Everything that decoding a case may load late is loaded once, before there is no file system to load it from."""

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.dicom import headers
from medtheca.toolkit.images.picture_slide import PictureSlide
from medtheca.toolkit.images.volume import Geometry, Volume
from medtheca.toolkit.renditions import cards, mha
from medtheca.toolkit.renditions.pyramid import write as write_pyramid

# imagecodecs loads each codec when it is first asked for it.
_CODECS = (
    *("bitorder", "ccittfax3", "ccittfax4", "ccittrle", "deflate", "delta", "floatpred", "gzip", "htj2k", "jpeg"),
    *("jpeg2k", "jpeg8", "jpegls", "lzma", "lzw", "packbits", "packints", "png", "webp", "zlib", "zstd"),
)


def warm_up_cases(run: Callable[[Path, str], None]) -> None:
    """Have `run` (a folder, the name of its file) decode a small case of every kind, and load what stays lazy."""
    for name in _CODECS:
        getattr(imagecodecs, f"{name}_decode")
    Image.init()
    headers.warm_up()
    cards.draw_card("A card")
    ramp = np.arange(8 * 40 * 50, dtype=np.int16).reshape(1, 8, 40, 50)
    with tempfile.TemporaryDirectory() as name:
        for place, (kind, data) in enumerate(_samples(ramp).items()):
            folder = Path(name) / str(place)
            folder.mkdir()
            (folder / kind).write_bytes(data)
            for broken in (data, data[: len(data) // 2]):
                (folder / kind).write_bytes(broken)
                try:
                    run(folder, kind)
                except Refused:
                    continue


def _samples(ramp: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> dict[str, bytes]:
    volume, pyramid = io.BytesIO(), io.BytesIO()
    mha.write(Volume(ramp, Geometry((1.0, 1.0, 3.0), (0.0, 0.0, 0.0))), volume)
    write_pyramid(PictureSlide(np.zeros((300, 300, 3), np.uint8)), pyramid)
    nifti: bytes = nibabel.Nifti1Image(ramp[0].T, np.eye(4)).to_bytes()  # type: ignore[no-untyped-call]  # nibabel has no types
    j2k = imagecodecs.jpeg2k_encode(ramp[0, 0], reversible=True)
    assert imagecodecs.jpeg2k_decode(j2k, numthreads=1).shape == (40, 50)
    return {
        "a.mha": volume.getvalue(),
        "a.nii.gz": gzip.compress(nifti),
        "a.nii": nifti,
        "a.dcm": _dicom(ramp[0, 0]),
        "a.tif": pyramid.getvalue(),
    }


def _dicom(pixels: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> bytes:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3"
    made.PatientName, made.Modality = "A^B", "MR"
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 1
    made.PixelSpacing, made.SliceThickness = [1, 1], 1
    made.ImagePositionPatient, made.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    made.PixelData = pixels.astype("<i2").tobytes()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made["PixelData"].VR = "OW"
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()
