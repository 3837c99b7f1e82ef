"""A JPEG frame whose decoder fills up in silence what is missing: whole ones are taken, those with a gap refused."""

import imagecodecs
import numpy as np
import pytest

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers.dicom import DicomReader
from tests.generators import dicoms as make

READER = DicomReader()
RNG = np.random.default_rng(3)
Y, X = np.mgrid[0:96, 0:120]
BUSY = ((X * 7 + Y * 30) % 4096 + RNG.integers(0, 30, (96, 120))).clip(0, 4095).astype(np.uint16)
EMPTY_AT_THE_END = np.where(Y < 50, BUSY, 0).astype(np.uint16)
FLAT = np.full((96, 120), 7, np.uint16)
PICTURES = {"busy": BUSY, "empty at the end": EMPTY_AT_THE_END, "flat": FLAT}
CODINGS = {
    "12 bits": (make.jpeg(51), lambda pixels: imagecodecs.jpeg8_encode(pixels, level=95, bitspersample=12)),
    "lossless by libjpeg-turbo": (
        make.jpeg(70),
        lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=16),
    ),
    "lossless by liblj92": (make.jpeg(57), imagecodecs.ljpeg_encode),
    "lossless by hand": (make.jpeg(70), lambda pixels: make.lossless_jpeg(pixels, 16)),
}


def dicom(pixels, syntax, coded):
    bits = {"BitsStored": 12, "HighBit": 11} if syntax == make.jpeg(51) else {}
    return make.dicom(pixels, syntax=syntax, coded=[coded], **bits)


def read(folder, pixels, syntax, coded):
    return READER.read(make.keep(folder, dicom(pixels, syntax, coded)), memory=50_000_000).voxels[0, 0]


def refusal(folder, pixels, syntax, coded):
    with pytest.raises(Refused) as caught:
        read(folder, pixels, syntax, coded)
    return caught.value.problem.code


def data_of(coded):
    """Where the coded data of the one scan begin and end."""
    scan = coded.rindex(b"\xff\xda")
    return scan + 2 + int.from_bytes(coded[scan + 2 : scan + 4], "big"), coded.rindex(b"\xff\xd9")


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("picture", PICTURES)
def test_whole_frames_are_read(tmp_path, coding, picture):
    syntax, encode = CODINGS[coding]
    pixels = PICTURES[picture]
    voxels = read(tmp_path, pixels, syntax, encode(pixels))
    assert np.abs(voxels.astype(int) - pixels).max() <= (60 if syntax == make.jpeg(51) else 0)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("where", [0.1, 0.3])
def test_frames_without_their_middle_are_refused(tmp_path, coding, share, where):
    syntax, encode = CODINGS[coding]
    coded = encode(BUSY)
    begin, end = data_of(coded)
    first = begin + int((end - begin) * where)
    gap = int((end - begin) * share)
    assert imagecodecs.jpeg8_decode(coded[:first] + coded[first + gap :]).shape == BUSY.shape  # it says nothing
    assert refusal(tmp_path, BUSY, syntax, coded[:first] + coded[first + gap :]) in {"truncated", "corrupt"}


@pytest.mark.parametrize("coding", CODINGS)
def test_a_gap_with_an_empty_rest_is_refused(tmp_path, coding):
    syntax, encode = CODINGS[coding]
    coded = encode(EMPTY_AT_THE_END)
    begin, end = data_of(coded)
    first = begin + (end - begin) // 4
    assert refusal(tmp_path, EMPTY_AT_THE_END, syntax, coded[:first] + coded[first + (end - begin) // 3 :])


def test_data_that_are_left_over_are_corrupt(tmp_path):
    syntax, encode = CODINGS["12 bits"]
    coded = encode(BUSY)
    _, end = data_of(coded)
    assert refusal(tmp_path, BUSY, syntax, coded[:end] + bytes(range(40)) + coded[end:]) == "corrupt"


def with_restarts(pixels, rows):
    """Lossless, a restart marker after so many rows, of which all stretches have the same, and so the same tables."""
    stretches = [make.lossless_jpeg(pixels[at : at + rows], 16) for at in range(0, len(pixels), rows)]
    scan = stretches[0].index(b"\xff\xda")
    head = bytearray(stretches[0][:scan])
    frame = head.index(b"\xff\xc3")
    head[frame + 5 : frame + 7] = len(pixels).to_bytes(2, "big")
    interval = b"\xff\xdd\0\4" + (rows * pixels.shape[1]).to_bytes(2, "big")
    pieces = [one[slice(*data_of(one))] for one in stretches]
    start = stretches[0][scan : data_of(stretches[0])[0]]
    return bytes(head) + interval + start, pieces


def join(head, pieces, numbers=None):
    numbers = numbers or range(len(pieces))
    coded = b"".join(
        piece + (bytes([0xFF, 0xD0 + number % 8]) if place < len(pieces) - 1 else b"")
        for place, (piece, number) in enumerate(zip(pieces, numbers, strict=True))
    )
    return head + coded + b"\xff\xd9"


def test_restart_intervals_are_counted(tmp_path):
    syntax = make.jpeg(70)
    alike = np.tile(BUSY[:4], (24, 1))
    head, pieces = with_restarts(alike, 4)
    assert np.array_equal(read(tmp_path, alike, syntax, join(head, pieces)), alike)
    without_one = [*range(5), *range(6, len(pieces))]
    gap = join(head, [pieces[place] for place in without_one], without_one)
    assert refusal(tmp_path, alike, syntax, gap) == "truncated"
    without_eight = [*range(5), *range(13, len(pieces))]
    gap = join(head, [pieces[place] for place in without_eight], without_eight)
    assert refusal(tmp_path, alike, syntax, gap) == "truncated"
    inside = [piece[: len(piece) // 2] if place == 3 else piece for place, piece in enumerate(pieces)]
    assert refusal(tmp_path, alike, syntax, join(head, inside)) == "truncated"


def test_a_gap_in_colour_is_refused(tmp_path):
    colours = RNG.integers(0, 256, (64, 80, 3), np.uint8)
    coded = imagecodecs.jpeg8_encode(colours, lossless=True, colorspace="RGB", outcolorspace="RGB")

    def colour(data):
        file = make.dicom(colours, syntax=make.jpeg(70), coded=[data], colour=True)
        return READER.read(make.keep(tmp_path, file), memory=50_000_000).voxels[0, 0]

    assert np.array_equal(colour(coded), colours)
    begin, end = data_of(coded)
    with pytest.raises(Refused) as caught:
        colour(coded[: begin + 500] + coded[begin + (end - begin) // 3 :])
    assert caught.value.problem.code == "truncated"
