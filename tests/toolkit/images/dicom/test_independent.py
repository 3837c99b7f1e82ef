"""Real files are read as SimpleITK (GDCM) reads them: the samples, and those that pydicom ships."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.grouping import describe_file, group_files
from medtheca.toolkit.images.readers.dicom import DicomReader
from medtheca.toolkit.images.slide import Document
from tests.samples import needs_samples, sample_dir

MEMORY = 1_000_000_000
READER = DicomReader()
SHIPPED = Path(pydicom.__file__).parent / "data"

# What is right to refuse, and why.
REFUSED = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "corrupt",  # its codestream says 3.7 billion columns
    "MR_small_padded.dcm": "corrupt",  # 128 bytes more than its rows and columns
    "MR_truncated.dcm": "truncated",
    "badVR.dcm": "corrupt",  # NumberOfFrames is 1A
    "rtplan_truncated.dcm": "truncated",
    "rtdose_1frame.dcm": "corrupt",  # offsets of 15 frames for one
    "rtdose_expb_1frame.dcm": "corrupt",
    "rtdose_rle_1frame.dcm": "corrupt",
    "no_meta.dcm": "unsupported_format",  # its first element is of no group
    "meta_missing_tsyntax.dcm": "corrupt",
    "nested_priv_SQ.dcm": "corrupt",  # a few bytes of pixels without any size
    "chrJapMulti.dcm": "truncated",  # a CR image without pixels
    "chrJapMultiExplicitIR6.dcm": "truncated",
    "chrKoreanMulti.dcm": "truncated",
    "DICOMDIR-empty.dcm": "unsupported_variant",
    "UN_sequence.dcm": "truncated",
    "priv_SQ.dcm": "truncated",
    "no_meta_group_length.dcm": "truncated",
    "empty_charset_LEI.dcm": "truncated",
    "chrSQEncoding.dcm": "truncated",
    "chrSQEncoding1.dcm": "truncated",
}
# SimpleITK interleaves the bytes of these wrongly or cannot read them; pydicom's own decoders are the reference.
BY_PYDICOM = {
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "rtdose.dcm",
    "rtdose_expb.dcm",
    "rtdose_rle.dcm",
}


def read(path):
    return READER.read(Files(path.parent, (path.name,)), memory=MEMORY)


def shipped():
    files = [*SHIPPED.glob("test_files/*.dcm"), *SHIPPED.glob("charset_files/*.dcm")]
    files += [*SHIPPED.glob("test_files/dicomdirtests/77654033/*/*"), *SHIPPED.glob("test_files/dicomdirtests/9*/*/*")]
    return sorted(files)


def assert_like_simpleitk(volume, path):
    """Voxels, spacing in the plane, origin and direction."""
    image = SimpleITK.ReadImage(str(path))
    expected = SimpleITK.GetArrayFromImage(image)
    voxels = volume.voxels.reshape(expected.shape)
    if volume.facts.inverted:
        # SimpleITK turns MONOCHROME1 round: low and high add up to the same everywhere.
        total = expected.astype(np.float64) + voxels
        assert np.ptp(total) <= 1e-3 * max(1.0, abs(total).max())
    else:
        assert np.array_equal(voxels, expected)
    if volume.geometry.origin is not None:
        assert np.allclose(volume.geometry.spacing[:2], image.GetSpacing()[:2])
        assert np.allclose(volume.geometry.origin, image.GetOrigin(), atol=1e-4)
        assert np.allclose(volume.geometry.direction, image.GetDirection(), atol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.name)
def test_files_of_pydicom(path):
    if path.name in REFUSED:
        with pytest.raises(Refused) as refused:
            read(path)
        assert refused.value.code == REFUSED[path.name]
        return
    content = read(path)
    if isinstance(content, Document):
        assert content.kind.startswith("dicom-")
        assert content.title
        return
    if path.name in BY_PYDICOM:
        dataset = pydicom.dcmread(path)
        expected = dataset.pixel_array * float(dataset.get("DoseGridScaling", 1))
        assert np.allclose(content.voxels.reshape(expected.shape), expected, rtol=1e-6)
        return
    assert_like_simpleitk(content, path)


DOCUMENTS = {
    "rtplan.dcm": "dicom-rtplan",
    "rtstruct.dcm": "dicom-rtstruct",
    "test-SR.dcm": "dicom-sr",
    "reportsi.dcm": "dicom-sr",
    "waveform_ecg.dcm": "dicom-waveform",
    "liver_1frame.dcm": "dicom-seg",
    "ExplVR_BigEndNoMeta.dcm": "dicom-rtplan",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_no_image_stays_what_it_is(name):
    assert read(SHIPPED / "test_files" / name).kind == DOCUMENTS[name]


def samples(pattern):
    return sorted((sample_dir() / "dcm").glob(pattern))


@needs_samples
@pytest.mark.parametrize("path", samples("*.dcm"), ids=lambda path: path.name)
def test_single_samples(path):
    if path.name == "rtdose.dcm":
        dataset = pydicom.dcmread(path)
        expected = dataset.pixel_array * float(dataset.DoseGridScaling)
        assert np.allclose(read(path).voxels[0], expected, rtol=1e-6)
        return
    assert_like_simpleitk(read(path), path)


def grouped(folder):
    described = [describe_file(path.read_bytes(), path.name) for path in sorted(folder.glob("*.dcm"))]
    return group_files(described)


@needs_samples
@pytest.mark.parametrize("name", ["n2d_t1", "ct_3slice"])
def test_sample_series_are_one_volume_each(name):
    folder = sample_dir() / "dcm" / name
    [group] = grouped(folder)
    volume = READER.read(Files(folder, group.names), memory=MEMORY)
    reader = SimpleITK.ImageSeriesReader()
    [series] = reader.GetGDCMSeriesIDs(str(folder))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), series))
    image = reader.Execute()
    assert np.array_equal(volume.voxels[0], SimpleITK.GetArrayFromImage(image))
    assert np.allclose(volume.geometry.spacing, image.GetSpacing())
    assert np.allclose(volume.geometry.origin, image.GetOrigin())
    assert np.allclose(volume.geometry.direction, image.GetDirection(), atol=1e-6)


@needs_samples
def test_pixels_of_n2d_t1_are_wide_along_x():
    folder = sample_dir() / "dcm" / "n2d_t1"
    [group] = grouped(folder)
    x, y, z = READER.read(Files(folder, group.names), memory=MEMORY).geometry.spacing
    assert (round(x, 3), round(y, 3), round(z, 3)) == (0.7, 0.667, 0.667)


@needs_samples
def test_radial_series_stays_single_slices():
    folder = sample_dir() / "dcm" / "mr700"
    groups = grouped(folder)
    assert [len(group.names) for group in groups] == [1] * 7
    assert all("radially" in group.notes[0] for group in groups)
    with pytest.raises(Refused) as refused:
        READER.read(Files(folder, tuple(path.name for path in sorted(folder.iterdir()))), memory=MEMORY)
    assert refused.value.code == "irregular_grid"
    for group in groups:
        assert_like_simpleitk(READER.read(Files(folder, group.names), memory=MEMORY), folder / group.names[0])


@needs_samples
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_time_points_of_series_4d():
    folder = sample_dir() / "dcm" / "series_4d"
    [group] = grouped(folder)
    volume = READER.read(Files(folder, group.names), memory=MEMORY)
    assert volume.voxels.shape == (19, 4, 2, 3)
    assert volume.geometry.spacing == (0.43, 0.43, 0.5)
    for number, name in enumerate(group.names):
        # SimpleITK does not know the class that these files were given when they were made anonymous.
        dataset = pydicom.dcmread(folder / name)
        assert np.array_equal(volume.voxels[number // 4, number % 4], dataset.pixel_array)
        assert dataset.TemporalPositionIndex == number // 4 + 1
