"""A JPEG's public copy has the same pixels and nothing else, shown with two decoders."""

import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, JpegImagePlugin

from medtheca.toolkit.deidentify.jpeg import strip_jpeg
from medtheca.toolkit.deidentify.jpeg_segments import parse_jpeg
from medtheca.toolkit.errors import Refused
from tests.generators import images as make
from tests.plugins.thoroughness import examples

KINDS = make.jpegs()


def by_pillow(data):
    # Not by Image.open, which warns of the index of further pictures that is planted here.
    with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
        return np.asarray(image)


def by_simplejpeg(data, *, strict=False):
    space = {1: "GRAY", 3: "RGB", 4: "CMYK"}[parse_jpeg(data).frame.components]
    return simplejpeg.decode_jpeg(bytes(data), space, strict=strict)


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_the_same_to_both_decoders(kind):
    public = bytes(strip_jpeg(KINDS[kind]).data)
    assert np.array_equal(by_pillow(public), by_pillow(KINDS[kind]))
    assert np.array_equal(by_simplejpeg(public), by_simplejpeg(KINDS[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_was_planted_can_be_found(kind):
    assert len(make.find_traces(KINDS[kind])) >= 5
    assert make.find_traces(strip_jpeg(KINDS[kind]).data) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_reader_sees_metadata(kind):
    public = bytes(strip_jpeg(KINDS[kind]).data)
    with Image.open(io.BytesIO(public)) as image:
        assert dict(image.getexif()) == {}
        allowed = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform"}
        assert set(image.info) <= allowed | {"progressive", "progression"}
    markers = {segment.marker for segment in parse_jpeg(public).segments}
    assert markers <= {0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xE0, 0xEE}
    assert public.endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", KINDS)
def test_stripping_twice_changes_nothing(kind):
    once = strip_jpeg(KINDS[kind])
    again = strip_jpeg(once.data)
    assert again.data is once.data
    assert again.removed == ()
    assert sum(item.bytes for item in once.removed) == len(KINDS[kind]) - len(once.data)


def test_a_file_without_metadata_is_its_own_copy():
    data = make.jpeg()
    assert strip_jpeg(data).data is data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_alone_survives(orientation, order):
    stripped = strip_jpeg(make.insert(make.jpeg(), make.exif_segment(orientation, order=order)))
    assert stripped.orientation == orientation
    assert make.find_traces(stripped.data) == []
    with Image.open(io.BytesIO(stripped.data)) as image:
        assert dict(image.getexif()) == ({0x112: orientation} if orientation > 1 else {})
    assert len(stripped.data) == len(make.jpeg()) + (36 if orientation > 1 else 0)


def test_header_of_an_unknown_jfif_revision_is_put_right():
    strange = make.jpeg().replace(b"JFIF\x00\x01\x01", b"JFIF\x00\x02\x09")
    stripped = strip_jpeg(strange)
    assert [item.kind for item in stripped.removed] == ["jfif"]
    assert np.array_equal(by_simplejpeg(stripped.data), by_simplejpeg(make.jpeg()))


def test_stray_bytes_between_segments_go():
    stripped = strip_jpeg(make.insert(make.jpeg(), make.CANARY.encode(), at=20))
    assert bytes(stripped.data) == make.jpeg()
    assert [(item.kind, item.bytes) for item in stripped.removed] == [("padding", len(make.CANARY))]


def test_the_report_names_what_was_left_out():
    data = make.insert(make.jpeg(), *make.every_secret()) + make.zip_trailer()
    removed = {item.kind: item.bytes for item in strip_jpeg(data).removed}
    assert set(removed) == {
        "exif", "xmp", "iptc", "comment", "preview", "mpf", "app11", "app2", "trailing zip",
    }  # fmt: skip
    assert removed["trailing zip"] == len(make.zip_trailer())


@pytest.mark.parametrize(
    ("trailer", "kind"),
    [(make.jpeg(), "trailing jpeg"), (b"\0\0\0\x18ftypmp42", "trailing video"), (b"x", "trailing data")],
)
def test_what_lies_behind_the_picture_is_named(trailer, kind):
    stripped = strip_jpeg(make.jpeg() + trailer)
    assert bytes(stripped.data) == make.jpeg()
    assert [(item.kind, item.bytes) for item in stripped.removed] == [(kind, len(trailer))]


def test_colour_profile_stays_bit_for_bit():
    profile = make.srgb_profile()
    data = make.insert(make.jpeg(), make.comment_segment(), *make.icc_chunks(profile))
    stripped = strip_jpeg(data)
    assert stripped.icc == profile
    with Image.open(io.BytesIO(stripped.data)) as image:
        assert image.info["icc_profile"] == profile
    assert bytes(stripped.data) == make.insert(make.jpeg(), *make.icc_chunks(profile))


def test_colour_profile_in_disorder_is_put_in_order():
    profile = make.srgb_profile()
    data = make.insert(make.jpeg(), *make.icc_chunks(profile, order=[3, 1, 2]))
    stripped = strip_jpeg(data)
    assert stripped.icc == profile
    with Image.open(io.BytesIO(stripped.data)) as image:
        assert image.info["icc_profile"] == profile


@pytest.mark.parametrize(
    "chunks",
    [
        make.icc_chunks(make.srgb_profile())[:-1],
        make.icc_chunks(make.srgb_profile()) * 2,
        make.icc_chunks(make.CANARY.encode() * 20),
    ],
    ids=["one missing", "twice", "not a profile"],
)
def test_what_is_no_usable_profile_goes(chunks):
    stripped = strip_jpeg(make.insert(make.jpeg(), *chunks))
    assert stripped.icc is None
    assert bytes(stripped.data) == make.jpeg()


def test_a_secret_behind_the_profile_goes():
    profile = make.srgb_profile()
    stripped = strip_jpeg(make.insert(make.jpeg(), *make.icc_chunks(profile + make.CANARY.encode())))
    assert stripped.icc == profile
    assert make.find_traces(stripped.data) == []


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, 20, 200, 600, 1000])
def test_a_cut_file_is_refused(length):
    with pytest.raises(Refused) as refusal:
        strip_jpeg(make.jpeg()[:length])
    assert refusal.value.code == ("truncated" if length > 1 else "corrupt")


@pytest.mark.parametrize(("process", "words"), [(0xC3, "lossless"), (0xC9, "arithmetic"), (0xC5, "hierarchical")])
def test_rare_coding_is_refused_by_name(process, words):
    data = make.jpeg().replace(b"\xff\xc0", bytes((0xFF, process)), 1)
    with pytest.raises(Refused, match=words) as refusal:
        strip_jpeg(data)
    assert refusal.value.code == "unsupported_variant"


def test_a_flood_of_scans_is_refused():
    data = make.jpeg(size=(8, 8), progressive=True)
    start = data.rindex(b"\xff\xda")
    with pytest.raises(Refused, match="scans"):
        strip_jpeg(data[:start] + data[start:-2] * 200 + data[-2:])


small_kinds = st.sampled_from(
    [
        make.insert(make.jpeg(size=(24, 17)), make.exif_segment(6), make.comment_segment()),
        make.insert(make.jpeg("L", size=(9, 9), progressive=True), make.xmp_segment()),
        make.insert(make.jpeg("CMYK", size=(16, 9)), *make.icc_chunks(make.srgb_profile())),
        make.jpeg(size=(33, 9), restart_marker_blocks=1) + make.jpeg(size=(8, 8)),
    ]
)
edits = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 255), st.sampled_from(["set", "cut", "add"])), max_size=4
)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of damaged EXIF, which is not the point here.
@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_kinds, edits)
def test_a_damaged_file_is_refused_or_keeps_its_pixels(data, changes):
    damaged = make.damage(data, changes)
    try:
        stripped = strip_jpeg(damaged)
    except Refused:
        return
    assert strip_jpeg(stripped.data).removed == ()
    try:
        after = by_simplejpeg(stripped.data, strict=True)
    except ValueError:
        return  # A reader refuses it. What lenient decoding makes of such a file differs from call to call.
    try:
        before = by_pillow(damaged)
    except (OSError, SyntaxError):
        return
    assert np.array_equal(before.reshape(after.shape), 255 - after if after.shape[2] == 4 else after)
