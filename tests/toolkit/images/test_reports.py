"""A report that a hostile decoder may give is refused before anything of it is stored or served."""

import copy

import pytest

from medtheca.toolkit.images.examine import examine
from medtheca.toolkit.images.reports import find_fault
from tests.generators import images as make

JPEG = next(iter(make.jpegs().values()))
REPORT, PARTS = examine(memoryview(JPEG), {})
HTML = b"<!doctype html><script>alert(1)</script>"


def changed(path, value):
    report = copy.deepcopy(REPORT)
    *way, last = path.split(".")
    place = report
    for step in way:
        place = place[step]
    if value is None and last != "icc":
        del place[last]
    else:
        place[last] = value
    return report


@pytest.mark.parametrize("data", [*make.jpegs().values(), *(data for data, _ in make.pngs().values())])
def test_what_an_honest_decoder_says_is_believed(data):
    assert find_fault(*examine(memoryview(data), {})) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", None),
        ("format", "html"),
        ("format", ["jpeg"]),
        ("media_type", "text/html"),
        ("media_type", "image/svg+xml"),
        ("media_type", "image/png"),
        ("media_type", "image/jpeg\r\nSet-Cookie: a=b"),
        ("media_type", {"a": 1}),
        ("width", 0),
        ("width", -1),
        ("width", 2**31),
        ("width", True),
        ("width", "10"),
        ("upright_height", None),
        ("orientation", 9),
        ("bits", 1.5),
        ("pixel_hash", "A" * 64),
        ("pixel_hash", None),
        ("perceptual_hash", "0" * 17),
        ("colour_space", "x" * 100),
        ("colour_space", None),
        ("icc", 5),
        ("removed", [{"kind": "x" * 65, "bytes": 1}]),
        ("removed", [{"kind": "x", "bytes": -1}]),
        ("removed", [{"kind": "x", "bytes": 1, "more": "words"}]),
        ("removed", [{"kind": "x", "bytes": 1}] * 1001),
        ("removed", {}),
        ("recipes", None),
        ("recipes.public", ""),
        ("recipes.public", "x" * 121),
        ("recipes.other", "x"),
        ("parts", None),
        ("parts.public", None),
        ("parts.public", "text/html"),
        ("parts.public.media_type", "text/html"),
        ("parts.public.media_type", "image/png"),
    ],
)
def test_what_cannot_be_is_not(path, value):
    assert "public" in PARTS
    assert find_fault(REPORT, PARTS) == ""
    assert find_fault(changed(path, value), PARTS)


@pytest.mark.parametrize("content", [HTML, b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"PK\x03\x04"])
def test_a_part_that_is_no_picture_is_refused(content):
    for name in PARTS:
        assert find_fault(REPORT, PARTS | {name: content}) == f"its {name} part is not the picture it says it is"


def test_a_part_of_another_name_is_refused():
    assert find_fault(REPORT, PARTS | {"original": JPEG})
    assert find_fault(REPORT, {})
