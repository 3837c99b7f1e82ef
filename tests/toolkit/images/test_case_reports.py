"""What is reported of volumes, slides and documents is believed only where it can be true."""

import copy
import io
import json

import numpy as np
import pytest

from medtheca.toolkit.images import case_task
from medtheca.toolkit.images.case_reports import CASE_PARTS, find_case_fault
from medtheca.toolkit.images.grouping import describe_file, find_description_fault
from tests.factories.cases import draw_slide, tiled_tiff
from tests.generators import dicoms, volumes
from tests.generators.slides import write_vms

REMOVED = object()
ODD = [REMOVED, None, [], {}, [[]], "x" * 3000, -1, 0.5, 2**40, True, {"a": {}}]


def honest(folder, data, name):
    (folder / name).write_bytes(data)
    outputs = {part: io.BytesIO() for part in CASE_PARTS}
    report = json.loads(json.dumps(case_task.run(folder, outputs, {"main": name}, lambda _: None)))
    return report, {part: outputs[part].getvalue()[:4096] for part in report["parts"]}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    said = {"WindowCenter": ["40"], "WindowWidth": ["400"], "WindowCenterWidthExplanation": ["BONE"], "Laterality": "L"}
    files = {
        "a.dcm": dicoms.dicom(dicoms.phantom(dtype=np.int16), **said),
        "a.mha": volumes.mha(volumes.draw()),
        "a.tif": tiled_tiff(draw_slide(600, 500)),
        "r.dcm": dicoms.write(dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.22", Modality="SR")),
    }
    return [honest(tmp_path_factory.mktemp("case"), data, name) for name, data in files.items()]


def paths_in(value, above=()):
    for name, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*above, name)
        if isinstance(item, dict | list):
            yield from paths_in(item, (*above, name))


def changed(report, path, value):
    made = copy.deepcopy(report)
    *above, last = path
    place = made
    for name in above:
        place = place[name]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = value
    return made


def test_honest_reports_are_believed(reports):
    assert {report["kind"] for report, _ in reports} == {"volume", "slide", "document"}
    assert [find_case_fault(report, heads) for report, heads in reports] == [""] * len(reports)


def test_no_lie_ends_in_anything_but_words(reports):
    count = 0
    for report, heads in reports:
        for path in paths_in(report):
            for value in ODD:
                assert isinstance(find_case_fault(changed(report, path, value), heads), str)
                count += 1
    assert count > 1000


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", ["volume"]),
        ("kind", "slide"),
        ("format", {"dicom": 1}),
        ("media_type", "image/tiff"),
        ("orientation", REMOVED),
        ("orientation", 100_000),
        ("icc", 5),
        ("removed", "text"),
        ("colour_space", ["grey"]),
        ("facts.modality", {"<script>": 1}),
        ("facts.body_part", "CHEST"),
        ("facts.laterality", "<b>"),
        ("facts.stain", 5),
        ("facts.inverted", "no"),
        ("geometry", {}),
        ("geometry.origin", "nowhere"),
        ("geometry.direction", [1, 2]),
        ("geometry.windows", [{"centre": 1}]),
        ("geometry.windows", "all"),
        ("geometry.value_type", "text"),
        ("geometry.more", "x"),
        ("parts.public.media_type", ["image/tiff"]),
        ("parts.public.media_type", "text/html"),
    ],
)
def test_a_lie_is_found(reports, path, value):
    report, heads = reports[0]
    assert find_case_fault(changed(report, path.split("."), value), heads)


def test_a_fault_is_one_printable_line(reports):
    report, heads = reports[0]
    for name in ("kind", "media_type", "width"):
        assert find_case_fault(report | {name: "x\n2026 ERROR ours\x1b[0m"}, heads).isprintable()


def test_names_of_windows_are_usual_words_or_none(tmp_path):
    names = ["Soft tissue", "Mrs. Canary", "WINDOW2"]
    said = {"WindowCenter": [40, 50, 60], "WindowWidth": [400, 10, 10], "WindowCenterWidthExplanation": names}
    data = dicoms.dicom(dicoms.phantom(dtype=np.int16), **said)
    report, _ = honest(tmp_path, data, "a.dcm")
    assert [window["name"] for window in report["geometry"]["windows"]] == ["Soft tissue", "", "WINDOW2"]


def descriptions(folder):
    slices = dicoms.series(dicoms.along([0, 3.0]), InstanceNumber=1, AcquisitionTime="101010.5", StackID="1")
    header, _ = volumes.metaimage(volumes.draw(), data_file="anat.raw")
    write_vms(folder, draw_slide(512, 384))
    files = {
        "a.dcm": slices[0],
        "a.mhd": header,
        "s.vms": (folder / "s.vms").read_bytes(),
        "m.mrxs": b"\xff\xd8\xff",
        "x.raw": b"123",
        "bad.mhd": header.replace(b"anat.raw", b"/etc/passwd"),
        "r.dcm": dicoms.write(dicoms.dataset(SOPClassUID=dicoms.STORAGE + "88.22", Modality="SR")),
    }
    return [json.loads(json.dumps(describe_file(data, name))) for name, data in files.items()]


def test_descriptions_are_believed_only_where_they_can_be_true(tmp_path):
    honest_ones = descriptions(tmp_path)
    assert [find_description_fault(one) for one in honest_ones] == [""] * len(honest_ones)
    count = 0
    for one in honest_ones:
        for path in paths_in(one):
            for value in ODD:
                assert isinstance(find_description_fault(changed(one, path, value)), str)
                count += 1
    assert count > 300
    assert find_description_fault({})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("dicom", REMOVED),
        ("dicom.kind", ["image"]),
        ("dicom.position", [0, 0]),
        ("dicom.position", [0, 0, 1e300]),
        ("dicom.orientation", [0, 0, 0, 0, 0, 0]),
        ("dicom.orientation", [1, 0, 0, 1, 0, 0]),
        ("dicom.spacing", [0, 1]),
        ("dicom.frames", 0),
        ("dicom.keys", []),
        ("dicom.keys", {"instance": "one"}),
        ("dicom.keys", {"stack": ["a"]}),
        ("dicom.keys", {"other": 1}),
        ("dicom.series", {}),
        ("companions", "anat.raw"),
        ("companions", ["/etc/passwd"]),
        ("companions", ["../x.raw"]),
        ("folder", "a/b"),
        ("folder", "."),
        ("folder", ""),
        ("problem", {"code": "A b", "message": "x", "remedy": ""}),
        ("problem", {"code": "corrupt", "message": " ", "remedy": ""}),
        ("problem", "bad"),
        ("format", 5),
    ],
)
def test_a_false_description_is_found(tmp_path, path, value):
    assert find_description_fault(changed(descriptions(tmp_path)[0], path.split("."), value))
