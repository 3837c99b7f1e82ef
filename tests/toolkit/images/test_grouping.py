"""Files of an upload become images by what they are, whatever their names and order."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medtheca.toolkit.images.dicom.grids import Slice, arrange, even_runs
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.grouping import describe_file, group_files
from medtheca.toolkit.images.readers.dicom import DicomReader
from tests.generators import dicoms as make
from tests.plugins.thoroughness import examples
from tests.samples import needs_samples, sample_dir


def group(files):
    """Groups of a dict from name to bytes; descriptions go through JSON, as they do."""
    described = [json.loads(json.dumps(describe_file(data, name), allow_nan=False)) for name, data in files.items()]
    groups = group_files(described)
    assert sorted(name for one in groups for name in one.names) == sorted(files)
    return groups


def named(data, folder="scan"):
    return {f"{folder}/{number:03}": one for number, one in enumerate(data)}


def shape(groups):
    return [len(one.names) for one in groups]


def codes(one):
    return [problem.code for problem in one.problems]


# --- series


def test_slices_are_sorted_along_the_normal_whatever_their_order():
    row, column = make.oblique()
    data = make.series(make.along([0, 1, 2, 3, 4], row=row, column=column), row=row, column=column)
    files = named(data)
    items = list(files.items())
    random.Random(4).shuffle(items)
    [one] = group(dict(items))
    assert one.names == tuple(files)
    assert one.kind == "dicom"
    assert not one.notes


def test_two_series_in_one_folder_are_two_images():
    first, second = make.series(make.along([0, 1, 2])), make.series(make.along([0, 1]))
    assert shape(group(named(first + second))) == [3, 2]


@pytest.mark.parametrize(
    "each",
    [
        lambda number: {"StudyInstanceUID": f"1.2.{number % 2}"},
        lambda number: {"SOPClassUID": (make.CT, make.MR)[number % 2]},
        lambda number: {"PixelSpacing": [1, 1 + number % 2]},
        lambda number: {"PhotometricInterpretation": f"MONOCHROME{number % 2 + 1}"},
    ],
)
def test_what_differs_is_not_one_image(each):
    assert shape(group(named(make.series(make.along(range(6)), each=each)))) == [3, 3]


def test_missing_slices_split_the_series_and_are_counted():
    groups = group(named(make.series(make.along([*range(40), *range(42, 100)]))))
    assert shape(groups) == [40, 58]
    for one in groups:
        assert "2 of 100 slices are missing (2 between slices 40 and 41" in one.notes[0]


def test_two_spacings_of_one_scan_are_two_stacks():
    groups = group(named(make.series(make.along([0, 2, 4, 6, 11, 16, 21]))))
    assert shape(groups) == [4, 3]
    assert "not evenly spaced" in groups[0].notes[0]


def test_rounding_of_positions_is_no_gap():
    assert shape(group(named(make.series(make.along([round(step * 0.625, 2) for step in range(40)]))))) == [40]


def test_scout_and_slices_of_one_series_are_apart():
    slices = make.series(make.along(range(4)), StudyInstanceUID="1.2", SeriesInstanceUID="1.3")
    scout = make.series([(0, 0, 0)], row=(0, 1, 0), column=(0, 0, -1), StudyInstanceUID="1.2", SeriesInstanceUID="1.3")
    groups = group(named(scout + slices))
    assert shape(groups) == [1, 4]
    assert "mixes 2 orientations" in groups[0].notes[0]


def test_tilted_slices_stay_single_and_the_angle_is_told():
    positions = [(0, step * 4 * np.tan(np.radians(18.5)), step * 4) for step in range(5)]
    groups = group(named(make.series(positions)))
    assert shape(groups) == [1] * 5
    assert "tilted by 18.5° against the normal" in groups[0].notes[0]


def test_slices_beside_each_other_are_apart():
    positions = [*make.along(range(4)), *make.along(range(4), start=(200, 20, 5))]
    groups = group(named(make.series(positions)))
    assert shape(groups) == [4, 4]
    assert "2 columns beside each other" in groups[0].notes[0]


def test_duplicates_of_a_place_stay_single():
    positions = make.along([0, 1, 2, 3, 1])
    groups = group(named(make.series(positions, each=lambda _: {"InstanceNumber": None})))
    assert shape(groups) == [4, 1]
    assert all("where another one lies already" in one.notes[0] for one in groups)


def test_the_same_file_twice_is_a_problem_of_the_second():
    data = make.series(make.along(range(3)))
    groups = group(named([*data, data[1]]))
    assert shape(groups) == [3, 1]
    assert codes(groups[1]) == ["duplicate"]


def test_reused_instance_uids_lose_no_slice():
    data = make.series(make.along(range(3)), SOPInstanceUID="1.2.3")
    assert shape(group(named(data))) == [3]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("TemporalPositionIdentifier", "temporal position"),
        ("AcquisitionNumber", "acquisition number"),
        ("TriggerTime", "trigger time"),
        ("EchoTime", "echo time"),
        ("DiffusionBValue", "b-value"),
    ],
)
def test_places_that_repeat_are_time_points(key, words):
    positions = make.along(range(3)) * 4
    files = named(make.series(positions, SOPClassUID=make.MR, each=lambda number: {key: number // 3 + 1}))
    items = list(files.items())
    random.Random(1).shuffle(items)
    [one] = group(dict(items))
    assert one.names == tuple(files)
    assert f"4 volumes, which are told apart by their {words}" in one.notes[0]


def test_heart_phases_with_times_of_their_own_at_each_place():
    positions = [place for place in make.along(range(3)) for _ in range(5)]
    data = make.series(
        positions, each=lambda number: {"TriggerTime": 40 * (number % 5) + number // 5, "InstanceNumber": None}
    )
    [one] = group(named(data))
    assert [int(name[-3:]) for name in one.names] == [phase + 5 * place for phase in range(5) for place in range(3)]


def test_instance_numbers_tell_time_points_apart_where_nothing_else_does():
    [one] = group(named(make.series(make.along(range(3)) * 2)))
    assert "the order of their instance numbers" in one.notes[0]


def test_kinds_of_picture_are_images_of_their_own():
    positions = make.along(range(3)) * 2
    data = make.series(
        positions, each=lambda number: {"ImageType": ["ORIGINAL", "PRIMARY", ("WATER", "FAT")[number // 3]]}
    )
    groups = group(named(data))
    assert shape(groups) == [3, 3]
    assert "kind (ImageType)" in groups[0].notes[0]


def test_echoes_at_each_time_are_series_of_time_points():
    positions = make.along(range(2)) * 4
    each = lambda number: {"EchoTime": number // 2 % 2 + 1, "TemporalPositionIdentifier": number // 4 + 1}  # noqa: E731
    groups = group(named(make.series(positions, each=each)))
    assert shape(groups) == [4, 4]


def test_time_point_that_was_broken_off_stays_apart():
    positions = [*make.along(range(4)) * 3, *make.along(range(2))]
    groups = group(named(make.series(positions, each=lambda number: {"AcquisitionNumber": number // 4 + 1})))
    assert shape(groups) == [12, 2]
    assert "1 more have other slices" in groups[0].notes[0]


def test_stack_whose_time_points_are_series_of_their_own():
    data = []
    for time in range(3):
        data += make.series(make.along(range(2)), StudyInstanceUID="1.2", StackID="1", TemporalPositionIndex=time + 1)
    assert shape(group(named(data))) == [6]


def test_pictures_without_a_place_are_single():
    data = [make.dicom(make.phantom(), StudyInstanceUID="1.2", SeriesInstanceUID="1.3") for _ in range(3)]
    assert shape(group(named(data))) == [1, 1, 1]


def test_frames_and_documents_are_single_and_slides_together():
    frames = make.dicom(make.phantom((3, 5, 6)), StudyInstanceUID="1.2", SeriesInstanceUID="1.3")
    report = make.write(
        make.dataset(SOPClassUID=make.STORAGE + "88.22", StudyInstanceUID="1.2", SeriesInstanceUID="1.3")
    )
    slide = {"SOPClassUID": make.STORAGE + "77.1.6", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.4"}
    levels = [make.dicom(make.phantom((2, size, 8)), **slide) for size in (8, 4)]
    groups = group(named([frames, report, *levels]))
    assert [(len(one.names), one.kind) for one in groups] == [(1, "dicom"), (1, "dicom"), (2, "dicom-slide")]


def test_broken_files_are_told_and_the_rest_is_grouped():
    good = make.series(make.along(range(3)))
    groups = group(named([*good, good[0][:-5], b"\0" * 128 + b"DICM" + b"\xff" * 50]))
    assert shape(groups) == [3, 1, 1]
    assert codes(groups[1]) == ["truncated"]
    assert codes(groups[2])


def test_index_of_a_disc_is_not_followed():
    groups = group({"DICOMDIR": b"\0" * 128 + b"DICM" + b"rubbish", "a": make.dicom(make.phantom())})
    assert [one.kind for one in groups] == ["dicom-index", "dicom"]
    assert "not followed" in groups[0].notes[0]


PLANE = {"orientation": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), "spacing": (1.0, 1.0)}


def test_thousands_of_holes_are_told_in_a_few_words():
    gaps = [3.0 if place % 3 else 6.0 for place in range(2000)]
    stacks = arrange([Slice(number, (0, 0, sum(gaps[:number])), **PLANE) for number in range(2000)])
    assert sum(stack.count for stack in stacks) == 2000
    assert len(stacks) > 500
    notes = {" ".join(stack.notes) for stack in stacks}
    assert all("are missing" in note and "other places" in note and len(note) < 1000 for note in notes)


def test_columns_beside_each_other_are_found_however_many_they_are():
    # Within a column places differ by less than is a distance, and over the borders of any boxes.
    rng = random.Random(5)
    places = [
        (20.0 * column + rng.uniform(-0.003, 0.003), 7.0 * column, 2.0 * z) for column in range(500) for z in range(4)
    ]
    rng.shuffle(places)
    stacks = arrange([Slice(number, place, **PLANE) for number, place in enumerate(places)])
    assert sorted(stack.count for stack in stacks) == [4] * 500
    for stack in stacks:
        assert len({round(places[index][1]) for index in stack.indices[0]}) == 1


def test_nothing_of_the_patient_is_in_descriptions_and_groups():
    data = make.series(make.along([0, 1, 2, 9]), StudyInstanceUID="1.2.3.4.5")
    described = [describe_file(one, str(number)) for number, one in enumerate(data)]
    assert "Canary" not in json.dumps(described)
    assert "1.2.3.4.5" not in str(group_files(described))


def test_groups_are_what_the_reader_reads(tmp_path):
    positions = [*make.along([0, 1, 2, 5, 6]), *make.along([0, 1, 2], start=(300, 0, 0))]
    data = make.series(positions)
    files = make.keep(tmp_path, *data)
    for one in group(dict(zip(files.names, data, strict=True))):
        volume = DicomReader().read(Files(tmp_path, one.names), memory=10**8)
        for depth, name in enumerate(one.names):
            assert np.array_equal(volume.voxels[0, depth], make.phantom((10, 20), np.int16, seed=int(name[:4])))


# --- companions


def mhd(name="x.raw"):
    return (
        f"ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = {name}\n".encode()
    )


def test_header_takes_its_data_file():
    groups = group({"a/x.raw": b"\0" * 8, "a/x.mhd": mhd(), "b/x.raw": b"\1" * 8, "b/x.mhd": mhd()})
    assert [one.names for one in groups] == [("a/x.mhd", "a/x.raw"), ("b/x.mhd", "b/x.raw")]
    assert not any(one.problems for one in groups)


def test_case_of_letters_does_not_matter_where_it_is_clear():
    [one] = group({"X.RAW": b"\0" * 8, "x.mhd": mhd()})
    assert one.names == ("x.mhd", "X.RAW")


def test_local_data_are_alone():
    assert shape(group({"x.mha": mhd("LOCAL"), "y.mha": mhd("LOCAL")})) == [1, 1]


@pytest.mark.parametrize("name", ["../x.raw", "/etc/passwd", "C:\\x.raw", "a/../../x.raw", "y.raw"])
def test_data_file_that_did_not_come_is_a_problem(name):
    groups = group({"x.mhd": mhd(name), "x.raw": b"\0" * 8})
    assert [codes(one) for one in groups] == [["missing_file"], ["unreferenced_data"]]


@pytest.mark.parametrize("name", ["LIST", "slice%03d.raw 1 9 1"])
def test_lists_of_data_files_are_refused(name):
    [one] = group({"x.mhd": mhd(name)})
    assert codes(one) == ["unsupported_variant"]


@pytest.mark.parametrize("suffix", ["raw", "zraw", "dat", "RAW"])
def test_data_that_nobody_names_is_a_problem_with_a_remedy(suffix):
    [one] = group({f"x.{suffix}": bytes(range(8))})
    assert codes(one) == ["unreferenced_data"]
    assert ".mhd" in one.problems[0].remedy


def test_two_headers_for_one_data_file():
    groups = group({"a.mhd": mhd(), "b.mhd": mhd(), "x.raw": b"\0" * 8})
    assert [codes(one) for one in groups] == [[], ["shared_data"]]


def test_detached_nrrd_takes_its_data_file():
    header = b"NRRD0004\ntype: uchar\ndimension: 1\nsizes: 8\nencoding: raw\ndata file: ./x.raw\n"
    [one] = group({"x.nhdr": header, "x.raw": b"\0" * 8})
    assert one.names == ("x.nhdr", "x.raw")


def test_mirax_takes_its_folder_and_nothing_else():
    jpeg = b"\xff\xd8\xff\xe0" + b"\0" * 100
    files = {
        "s.mrxs": jpeg,
        "s/Slidedat.ini": b"[GENERAL]\n",
        "s/Data0000.dat": b"\0\1",
        "other.jpg": jpeg,
        "sx/a.txt": b"a",
    }
    groups = group(files)
    assert groups[0].names == ("s.mrxs", "s/Data0000.dat", "s/Slidedat.ini")
    assert groups[0].kind == "mrxs"
    assert shape(groups) == [3, 1, 1]
    [alone] = group({"s.mrxs": jpeg})
    assert codes(alone) == ["missing_file"]


def test_hamamatsu_takes_the_files_that_it_lists():
    lines = ("[Virtual Microscope Specimen]", "NoLayers=1", "ImageFile=a.jpg", "ImageFile(1,0)=b.jpg", "MapFile=m.jpg")
    text = "\r\n".join([*lines, "OptimisationFile=o.opt", ""]).encode()
    files = {"s.vms": text, **dict.fromkeys(("a.jpg", "b.jpg", "m.jpg"), b"\xff\xd8\xff"), "o.opt": b"\0"}
    [one] = group(files)
    assert one.names == ("s.vms", "a.jpg", "b.jpg", "m.jpg", "o.opt")
    assert one.kind == "vms"
    del files["b.jpg"]
    assert codes(group(files)[0]) == ["missing_file"]


def test_others_are_alone_in_the_order_they_came():
    groups = group({"b.pdf": b"%PDF-1.7", "a.txt": b"words", "c": b"\x93\x94\x00\x01"})
    assert [(one.names, one.kind) for one in groups] == [(("b.pdf",), "pdf"), (("a.txt",), "text"), (("c",), None)]


@needs_samples
def test_samples_of_slides_in_several_files():
    folder = sample_dir() / "wsi_synth"
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    found = {one.kind: one.names for one in group(files) if len(one.names) > 1}
    assert found["mrxs"][0] == "synth.mrxs"
    assert all(name.startswith("synth/") for name in found["mrxs"][1:])
    assert set(found) == {"mrxs", "vms", "vmu"}


# --- rules that hold for everything


@settings(max_examples=examples(200), deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 2), st.one_of(st.none(), st.integers(0, 3)), st.integers(0, 1)),
        max_size=40,
    )
)
def test_every_slice_is_in_one_stack_and_every_stack_is_even(rows):
    turned = [(1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)]
    slices = [
        Slice(
            number,
            tuple(np.array((float(beside), 0, 0)) + np.cross(turned[turn][:3], turned[turn][3:]) * z),
            turned[turn],
            (1.0, 1.0),
            {} if time is None else {"temporal": time},
        )
        for number, (z, beside, time, turn) in enumerate(rows)
    ]
    stacks = arrange(slices)
    members = [index for stack in stacks for time in stack.indices for index in time]
    assert sorted(members) == list(range(len(slices)))
    for stack in stacks:
        places = [[slices[index].position for index in time] for time in stack.indices]
        assert all(np.allclose(places[0], other) for other in places)
        steps = np.diff(places[0], axis=0)
        if len(steps):
            assert np.allclose(np.linalg.norm(steps, axis=1), stack.gap)
            assert np.allclose(steps, steps[0])


@settings(max_examples=examples(300), deadline=None, derandomize=True)
@given(st.lists(st.floats(0.1, 50), max_size=30))
def test_runs_hold_every_slice_once_and_are_even(gaps):
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    runs = even_runs(along)
    assert [at for start, end in runs for at in range(start, end)] == list(range(len(along)))
    for start, end in runs:
        part = along[start:end]
        if len(part) > 2:
            even = np.linspace(part[0], part[-1], len(part))
            assert np.abs(part - even).max() <= max(0.03 * (even[1] - even[0]), 0.011) + 1e-9


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_data_file_is_found_by_the_bytes_of_its_name(encoding):
    header = "ObjectType = Image\nNDims = 3\nElementDataFile = näme.raw\n".encode(encoding)
    described = [describe_file(header, "a/x.mhd"), {"name": "a/näme.raw", "format": "data"}]
    assert [group.names for group in group_files(described)] == [("a/x.mhd", "a/näme.raw")]
