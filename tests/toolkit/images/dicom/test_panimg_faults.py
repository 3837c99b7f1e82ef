"""What panimg 0.18.2 does to DICOM without a word (`docs` of Grand Challenge list its faults): here it is right."""

import numpy as np
import pytest

from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.grouping import describe_file, group_files
from medtheca.toolkit.images.readers.dicom import DicomReader
from tests.generators import dicoms as make

READER = DicomReader()
MEMORY = 50_000_000


def convert(folder, *data):
    """As an upload: grouped, and each group read."""
    files = make.keep(folder, *data)
    groups = group_files([describe_file(one, name) for name, one in zip(files.names, data, strict=True)])
    return [(READER.read(Files(folder, group.names), memory=MEMORY), group) for group in groups]


def test_pixel_spacing_is_row_spacing_then_column_spacing(tmp_path):
    data = make.dicom(make.phantom((10, 20)), PixelSpacing=[2, 1])
    [(volume, _)] = convert(tmp_path, data)
    assert (volume.height, volume.width) == (10, 20)
    assert volume.geometry.spacing[:2] == (1.0, 2.0)


@pytest.mark.parametrize("gaps", [[0, 3, 12], [0, 203.8, 205.0]])
def test_uneven_slices_are_never_averaged(tmp_path, gaps):
    volumes = convert(tmp_path, *make.series(make.along(gaps)))
    assert sorted(volume.depth for volume, _ in volumes) == [1, 2]
    assert all("not evenly spaced" in group.notes[0] for _, group in volumes)
    [pair] = [volume for volume, _ in volumes if volume.depth == 2]
    assert pair.geometry.spacing[2] == pytest.approx(min(np.diff(gaps)))


def test_missing_slices_are_told(tmp_path):
    volumes = convert(tmp_path, *make.series(make.along([0, 1, 2, 3, 6, 7, 8])))
    assert [volume.depth for volume, _ in volumes] == [4, 3]
    assert all("2 of 9 slices are missing" in group.notes[0] for _, group in volumes)


def test_gantry_tilt_is_not_stored_as_an_orthogonal_grid(tmp_path):
    positions = [(0, step * 4 * np.tan(np.radians(18.5)), step * 4) for step in range(5)]
    volumes = convert(tmp_path, *make.series(positions))
    assert [volume.depth for volume, _ in volumes] == [1] * 5
    assert all("tilted by 18.5°" in group.notes[0] for _, group in volumes)


def test_radial_slices_are_not_stacked(tmp_path):
    data = []
    for number in range(6):
        angle = np.radians(30 * number)
        row = (np.cos(angle), np.sin(angle), 0)
        data += make.series([(0, 0, 0)], row=row, column=(0, 0, 1), StudyInstanceUID="1.2", SeriesInstanceUID="1.3")
    volumes = convert(tmp_path, *data)
    assert [volume.depth for volume, _ in volumes] == [1] * 6
    assert all("radially" in group.notes[0] for _, group in volumes)


def test_instance_number_is_not_needed(tmp_path):
    data = make.series(make.along([2, 0, 1]), each=lambda _: {"InstanceNumber": None})
    [(volume, _)] = convert(tmp_path, *data)
    assert volume.depth == 3
    assert np.array_equal(volume.voxels[0, 0], make.phantom((10, 20), np.int16, seed=1))


def test_palette_is_not_stored_as_indices(tmp_path):
    attributes = {"PhotometricInterpretation": "PALETTE COLOR"}
    for shift, name in enumerate(("Red", "Green", "Blue")):
        attributes[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        attributes[f"{name}PaletteColorLookupTableData"] = np.roll(np.arange(256), shift).astype("<u2").tobytes()
    pixels = make.phantom(dtype=np.uint8)
    [(volume, _)] = convert(tmp_path, make.dicom(pixels, **attributes))
    assert volume.colour == "rgb"
    assert np.array_equal(volume.voxels[0, 0, :, :, 0], pixels)
    assert np.array_equal(volume.voxels[0, 0, :, :, 1], pixels - np.uint8(1))


def test_single_frame_colour_is_read(tmp_path):
    pixels = make.phantom((10, 12, 3), np.uint8)
    [(volume, _)] = convert(tmp_path, make.write(make.dataset(pixels, colour=True), pixels=pixels))
    assert np.array_equal(volume.voxels[0, 0], pixels)


def test_big_endian_is_read(tmp_path):
    pixels = make.phantom(dtype=np.int16)
    [(volume, _)] = convert(tmp_path, make.dicom(pixels, syntax=make.BIG))
    assert np.array_equal(volume.voxels[0, 0], pixels)


def test_names_and_notes_do_not_leak_uids(tmp_path):
    data = make.series(make.along([0, 1, 2, 7]), StudyInstanceUID="1.2.3.4.5.6.7", SeriesInstanceUID="1.2.3.4.5.6.8")
    for volume, group in convert(tmp_path, *data):
        assert "1.2.3.4.5" not in str((group, volume.notes, volume.facts))


def test_series_of_one_folder_come_in_the_order_of_their_files(tmp_path):
    first, second = make.series(make.along([0, 1])), make.series(make.along([0, 1, 2]))
    assert [volume.depth for volume, _ in convert(tmp_path, *first, *second)] == [2, 3]
    assert [volume.depth for volume, _ in convert(tmp_path, *second, *first)] == [3, 2]


def test_enhanced_frames_are_rescaled_each_and_have_spacing_of_their_groups(tmp_path):
    pixels = make.phantom((2, 10, 20), np.int16)
    groups = [
        make.group(
            PlanePositionSequence={"ImagePositionPatient": [0, 0, 3 * number]},
            PixelValueTransformationSequence={"RescaleSlope": str(number + 2), "RescaleIntercept": "0"},
        )
        for number in range(2)
    ]
    common = make.group(
        PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        PixelMeasuresSequence={"PixelSpacing": [2, 1]},
    )
    [(volume, _)] = convert(tmp_path, make.enhanced(pixels, groups, shared=common))
    assert volume.geometry.spacing == (1.0, 2.0, 3.0)
    assert np.array_equal(volume.voxels[0, 1], pixels[1].astype(int) * 3)


def test_colour_frames_keep_their_shape(tmp_path):
    pixels = make.phantom((4, 6, 8, 3), np.uint8)
    made = make.dataset(pixels, colour=True, SOPClassUID=make.STORAGE + "7.4")
    [(volume, _)] = convert(tmp_path, make.write(made, pixels=pixels))
    assert volume.voxels.shape == (4, 1, 6, 8, 3)
    assert np.array_equal(volume.voxels[:, 0], pixels)


def test_monochrome1_is_not_inverted_in_its_values(tmp_path):
    pixels = make.phantom()
    [(volume, _)] = convert(tmp_path, make.dicom(pixels, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(volume.voxels[0, 0], pixels)
    assert volume.facts.inverted


def test_whole_numbers_do_not_become_floats(tmp_path):
    [(volume, _)] = convert(tmp_path, make.dicom(make.phantom(), RescaleSlope="1", RescaleIntercept="-1024"))
    assert volume.voxels.dtype.kind == "i"


def test_segmentation_is_no_grey_volume(tmp_path):
    [(document, _)] = convert(tmp_path, make.dicom(make.phantom(), SOPClassUID=make.STORAGE + "66.4", Modality="SEG"))
    assert document.kind == "dicom-seg"


@pytest.mark.parametrize("number", [51, 53, 55])
def test_twelve_bit_jpeg_needs_no_gpl_decoder(tmp_path, number):
    import imagecodecs

    pixels = make.smooth()
    coded = [imagecodecs.jpeg8_encode(pixels, level=98, bitspersample=12)]
    data = make.dicom(pixels, syntax=make.jpeg(number), coded=coded, BitsStored=12, HighBit=11)
    [(volume, _)] = convert(tmp_path, data)
    assert np.abs(volume.voxels[0, 0].astype(int) - pixels).max() < 40


def test_one_bad_file_does_not_take_the_others_with_it(tmp_path):
    good = make.series(make.along([0, 1]))
    bad = make.dicom(make.phantom(), Rows=99)
    files = make.keep(tmp_path, *good, bad)
    groups = group_files([describe_file(one, name) for name, one in zip(files.names, [*good, bad], strict=True)])
    assert [len(group.names) for group in groups] == [2, 1]
    assert [problem.code for problem in groups[1].problems] == ["truncated"]
