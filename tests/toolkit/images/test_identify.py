"""A format is told by content, whatever the name says."""

import gzip

import pytest

from medtheca.toolkit.images.identify import FORMAT_WORDS, identify
from tests.generators import images as make
from tests.samples import needs_samples, sample_dir


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (make.jpeg(), "jpeg"),
        (make.write_png(make.draw(3, 3)), "png"),
        (bytes(128) + b"DICM", "dicom"),
        (b"II*\0" + bytes(9), "tiff"),
        (b"II+\0" + bytes(9), "tiff"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"\0\0\0\x18ftypheic", "heif"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (bytes(344) + b"n+1\0", "nifti"),
        (gzip.compress(b"x"), "gzip"),
        (b"ObjectType = Image\nNDims = 3\n", "mha"),
        (b"\n <!DOCTYPE HTML><p>", "html"),
        (b"<?xml version='1.0'?><svg xmlns=''>", "svg"),
        (b"image_name,age\nISIC_1,45\n", "text"),
        ("naïve text".encode("utf-16"), "text"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2", "bmp"),
        (b"BMI,age\n22,40\n", "text"),
        (b"\x00\x01\x02", None),
        (b"", None),
    ],
)
def test_formats_are_told_by_content(data, name):
    assert identify(data) == name
    assert identify(memoryview(data)) == name
    assert name is None or name in FORMAT_WORDS


@needs_samples
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("dcm", "dicom"),
        ("jpg", "jpeg"),
        ("jpeg", "jpeg"),
        ("dermoscopy", "jpeg"),
        ("png", "png"),
        ("mha", "mha"),
        ("nrrd", "nrrd"),
        ("nii", "nifti"),
        ("nii.gz", "gzip"),
        ("tiff", "tiff"),
        ("svs", "tiff"),
        ("archive", "zip"),
    ],
)
def test_real_files_are_told_by_content(folder, name):
    files = [path for path in (sample_dir() / folder).iterdir() if path.is_file()]
    assert files
    assert {identify(path.read_bytes()) for path in files} == {name}
