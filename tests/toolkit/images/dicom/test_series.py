"""Files of one series become one volume in its exact place, or are refused; frames of one file likewise."""

import numpy as np
import pytest
import SimpleITK

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.readers.dicom import DicomReader
from tests.generators import dicoms as make

MEMORY = 50_000_000
READER = DicomReader()


def read(folder, *files):
    return READER.read(make.keep(folder, *files), memory=MEMORY)


def refusal(folder, *files):
    with pytest.raises(Refused) as caught:
        read(folder, *files)
    return caught.value


def independent(files):
    """As SimpleITK reads a series, which it is told in the order along the normal."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(files.path(name)) for name in files.names])
    return reader.Execute()


def assert_like_simpleitk(volume, image):
    assert np.array_equal(volume.voxels[0], SimpleITK.GetArrayFromImage(image))
    assert np.allclose(volume.geometry.spacing, image.GetSpacing(), rtol=1e-6)
    assert np.allclose(volume.geometry.origin, image.GetOrigin(), atol=1e-6)
    assert np.allclose(volume.geometry.direction, image.GetDirection(), atol=1e-6)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("axes", ["axial", "oblique", "sagittal"])
def test_series_is_read_as_simpleitk_reads_it(tmp_path, axes, shuffled):
    row, column = {
        "axial": ((1, 0, 0), (0, 1, 0)),
        "oblique": make.oblique(),
        "sagittal": ((0, 1, 0), (0, 0, -1)),
    }[axes]
    positions = make.along([1.5 * step for step in range(7)], row=row, column=column)
    data = make.series(positions, row=row, column=column, RescaleSlope="1", RescaleIntercept="-3")
    files = make.keep(tmp_path, *data)
    image = independent(files)
    if shuffled:
        order = np.random.default_rng(2).permutation(7)
        files = Files(files.folder, tuple(files.names[at] for at in order))
    volume = READER.read(files, memory=MEMORY)
    assert volume.voxels.shape == (1, 7, 10, 20)
    assert volume.dimensions == 3
    assert_like_simpleitk(volume, image)


def test_each_slice_has_its_own_rescale_and_window(tmp_path):
    pixels = [make.phantom((10, 20), seed=number) for number in range(3)]
    data = make.series(
        make.along(range(3)),
        pixels=pixels,
        each=lambda number: {
            "RescaleSlope": str(number + 0.5),
            "RescaleIntercept": "1",
            "WindowCenter": number,
            "WindowWidth": 10,
        },
    )
    volume = read(tmp_path, *data)
    assert volume.voxels.dtype == np.float32
    for number, picture in enumerate(pixels):
        assert np.allclose(volume.voxels[0, number], picture * (number + 0.5) + 1, rtol=1e-6)
    assert volume.windows[0].centre == 1
    assert any("differ from slice to slice" in note for note in volume.notes)


def test_slices_of_different_depth_of_bits_keep_their_values(tmp_path):
    pixels = [make.phantom((4, 5), np.uint8), make.phantom((4, 5), np.int16)]
    volume = read(tmp_path, *make.series(make.along(range(2)), pixels=pixels))
    assert np.array_equal(volume.voxels[0, 0], pixels[0])
    assert np.array_equal(volume.voxels[0, 1], pixels[1])


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        (make.along([0, 1, 2, 5, 6, 7]), "2 of 8 slices are missing"),
        (make.along([0, 3, 12]), "not evenly spaced"),
        (make.along([0, 1, 1, 2]), "lies where another one lies already"),
        ([(0, step * np.tan(np.radians(18.5)), step) for step in range(5)], "tilted by 18.5°"),
        ([(0, 0, 0), (0, 3, 1), (0, -2, 2), (0, 0, 3)], "shifted against each other"),
    ],
)
def test_what_is_no_regular_grid_is_refused_with_what_was_found(tmp_path, positions, words):
    refused = refusal(tmp_path, *make.series(positions, each=lambda _: {"InstanceNumber": 1}))
    assert refused.code == "irregular_grid"
    assert words in refused.message


def test_files_of_different_size_are_not_one_image(tmp_path):
    pixels = [make.phantom((4, 5)), make.phantom((5, 4))]
    assert refusal(tmp_path, *make.series(make.along(range(2)), pixels=pixels)).code == "irregular_grid"


def test_time_points_by_temporal_position(tmp_path):
    positions = make.along([0, 2, 4]) * 2
    data = make.series(
        positions,
        each=lambda number: {"TemporalPositionIndex": number // 3 + 1, "AcquisitionTime": f"1200{number // 3 * 5:02}"},
    )
    volume = read(tmp_path, *reversed(data))
    assert volume.voxels.shape == (2, 3, 10, 20)
    assert volume.dimensions == 4
    assert volume.time_step == 5.0
    assert np.array_equal(volume.voxels[1, 2], make.phantom((10, 20), np.int16, seed=5))


def test_time_step_of_trigger_times_is_in_seconds(tmp_path):
    data = make.series(make.along([0]) * 4, each=lambda number: {"TriggerTime": 40 * number})
    assert read(tmp_path, *data).time_step == pytest.approx(0.04)


# --- one file with frames


def frame_groups(positions, **more):
    return [
        make.group(
            PlanePositionSequence={"ImagePositionPatient": [float(value) for value in position]},
            **{name: value(number) for name, value in more.items()},
        )
        for number, position in enumerate(positions)
    ]


def shared(row=(1, 0, 0), column=(0, 1, 0), spacing=(2, 1)):
    return make.group(
        PlaneOrientationSequence={"ImageOrientationPatient": [float(value) for value in (*row, *column)]},
        PixelMeasuresSequence={"PixelSpacing": list(spacing), "SliceThickness": 9},
    )


def test_enhanced_frames_are_sorted_and_rescaled_each(tmp_path):
    pixels = make.phantom((4, 10, 20), np.int16)
    order = [2, 0, 3, 1]
    groups = frame_groups(
        [make.along(range(4))[at] for at in order],
        PixelValueTransformationSequence=lambda number: {
            "RescaleSlope": str(number + 1),
            "RescaleIntercept": "10",
            "RescaleType": "US",
        },
        FrameVOILUTSequence=lambda _: {"WindowCenter": 300, "WindowWidth": 40},
    )
    volume = read(tmp_path, make.enhanced(pixels, groups, shared=shared()))
    assert volume.geometry.spacing == (1.0, 2.0, 1.0)
    assert volume.rescaled
    assert volume.windows[0].centre == 300
    for frame, depth in enumerate(order):
        assert np.array_equal(volume.voxels[0, depth], pixels[frame].astype(int) * (frame + 1) + 10)


def test_enhanced_frames_of_several_times(tmp_path):
    pixels = make.phantom((6, 10, 20))
    groups = frame_groups(
        [make.along(range(3))[number // 2] for number in range(6)],
        FrameContentSequence=lambda number: {
            "TemporalPositionIndex": number % 2 + 1,
            "StackID": "1",
            "InStackPositionNumber": number // 2 + 1,
        },
    )
    volume = read(tmp_path, make.enhanced(pixels, groups, shared=shared()))
    assert volume.voxels.shape == (2, 3, 10, 20)
    for number in range(6):
        assert np.array_equal(volume.voxels[number % 2, number // 2], pixels[number])


def test_enhanced_oblique_frames_lie_where_a_series_would(tmp_path):
    row, column = make.oblique(35)
    positions = make.along([0, 2.5, 5], row=row, column=column)
    pixels = make.phantom((3, 10, 20), np.int16)
    whole = read(tmp_path / "one", make.enhanced(pixels, frame_groups(positions), shared=shared(row, column)))
    parts = read(tmp_path / "many", *make.series(positions, pixels=list(pixels), row=row, column=column))
    assert np.allclose(whole.geometry.spacing, parts.geometry.spacing)
    assert np.allclose(whole.geometry.direction, parts.geometry.direction)
    assert whole.geometry.origin == parts.geometry.origin
    assert np.array_equal(whole.voxels, parts.voxels)


def test_frames_that_form_no_grid_are_pictures_without_a_place(tmp_path):
    pixels = make.phantom((3, 10, 20))
    volume = read(tmp_path, make.enhanced(pixels, frame_groups(make.along([0, 3, 12])), shared=shared()))
    assert volume.voxels.shape == (3, 1, 10, 20)
    assert np.array_equal(volume.voxels[:, 0], pixels)
    assert volume.geometry.origin is None
    assert volume.geometry.spacing[:2] == (1.0, 2.0)
    assert any("not evenly spaced" in note for note in volume.notes)
    assert any("without a place in space" in note for note in volume.notes)


def test_functional_groups_must_be_as_many_as_frames(tmp_path):
    data = make.enhanced(make.phantom((3, 10, 20)), frame_groups(make.along(range(2))), shared=shared())
    assert refusal(tmp_path, data).code == "corrupt"


@pytest.mark.parametrize("first", [0.0, -30.0])
def test_dose_is_a_volume_in_gray(tmp_path, first):
    pixels = make.phantom((4, 10, 20))
    data = make.dicom(
        pixels, SOPClassUID=make.STORAGE + "481.2", Modality="RTDOSE", DoseGridScaling="0.001", DoseUnits="GY",
        GridFrameOffsetVector=[first + 2.5 * step for step in range(4)], PixelSpacing=[2, 1],
        ImagePositionPatient=[1, 2, -30], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
    )  # fmt: skip
    volume = read(tmp_path, data)
    assert volume.geometry.spacing == (1.0, 2.0, 2.5)
    assert volume.geometry.origin == (1.0, 2.0, -30.0)
    assert np.allclose(volume.voxels[0], pixels * 0.001)
    assert any("Gy" in note for note in volume.notes)


def test_cine_has_a_time_step(tmp_path):
    pixels = make.phantom((5, 10, 20), np.uint8)
    volume = read(tmp_path, make.dicom(pixels, SOPClassUID=make.STORAGE + "12.1", Modality="XA", FrameTime="66.7"))
    assert volume.voxels.shape == (5, 1, 10, 20)
    assert volume.time_step == pytest.approx(0.0667)


# --- spacing of single pictures


@pytest.mark.parametrize(
    ("attributes", "spacing", "note"),
    [
        ({"PixelSpacing": [2, 1], "ImagerPixelSpacing": [3, 4]}, (1, 2), None),
        ({"ImagerPixelSpacing": [3, 4]}, (4, 3), "detector"),
        ({"NominalScannedPixelSpacing": [3, 4]}, (4, 3), "film"),
        ({}, None, None),
    ],
)
def test_spacing_of_projections(tmp_path, attributes, spacing, note):
    volume = read(tmp_path, make.dicom(make.phantom(), SOPClassUID=make.STORAGE + "1.1", Modality="DX", **attributes))
    assert (volume.geometry.spacing and volume.geometry.spacing[:2]) == spacing
    assert volume.geometry.origin is None
    assert volume.dimensions == 2
    assert (note is None) == (not volume.notes)
    assert note is None or note in volume.notes[0]


def region(across=0.02, down=0.03, **changes):
    given = {"RegionSpatialFormat": 1, "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3}
    return make.item(**(given | {"PhysicalDeltaX": across, "PhysicalDeltaY": down} | changes))


@pytest.mark.parametrize(
    ("regions", "spacing"),
    [
        ([region()], (0.2, 0.3)),
        ([region(), region()], (0.2, 0.3)),
        ([region(), region(RegionSpatialFormat=3, PhysicalUnitsYDirection=7)], (0.2, 0.3)),
        ([region(), region(across=0.05)], None),
        ([region(PhysicalUnitsXDirection=4)], None),
        ([region(down=-0.03)], (0.2, 0.3)),
    ],
)
def test_spacing_of_ultrasound_where_unambiguous(tmp_path, regions, spacing):
    data = make.dicom(
        make.phantom(), SOPClassUID=make.STORAGE + "6.1", Modality="US", SequenceOfUltrasoundRegions=regions
    )
    found = read(tmp_path, data).geometry.spacing
    assert found is None if spacing is None else found[:2] == pytest.approx(spacing)
