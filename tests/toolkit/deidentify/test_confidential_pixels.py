"""DICOM files without identity: pixels are the same bytes, and nothing hides in or behind them."""

import io

import imagecodecs
import numpy as np
import pydicom
import SimpleITK

from tests.generators import dicoms as make
from tests.toolkit.deidentify.confidential import WORDS, actions, ct, read, run


def test_native_pixels_are_the_same_bytes_in_every_transfer_syntax():
    pixels = make.phantom((6, 8), np.int16)
    for syntax in (make.EXPLICIT, make.IMPLICIT, make.BIG, make.DEFLATED):
        data = make.dicom(pixels, syntax=syntax, SmallestImagePixelValue=-3)
        made = read(data)
        np.testing.assert_array_equal(made.pixel_array, pixels)
        assert made.PixelData == pixels.astype(">i2" if syntax == make.BIG else "<i2").tobytes()
        assert made.SmallestImagePixelValue == -3
        assert made.file_meta.TransferSyntaxUID == (make.BIG if syntax == make.BIG else make.EXPLICIT)


def jpeg_frame(*segments):
    coded = imagecodecs.jpeg8_encode(make.smooth((32, 40), 255, np.uint8), level=90)
    return coded[:2] + b"".join(segments) + coded[2:]


def test_coded_pixels_are_the_same_bytes():
    picture = make.smooth((32, 40), 255, np.uint8)
    coded = {
        make.jpeg(50): imagecodecs.jpeg8_encode(picture, level=90),
        make.jpeg(70): make.lossless_jpeg(picture, 8),
        make.jpeg(80): imagecodecs.jpegls_encode(picture),
        make.RLE: make.rle(picture),
    }
    for syntax, frame in coded.items():
        data = make.dicom(picture, syntax=syntax, coded=[frame, frame], NumberOfFrames=2)
        made = run(data)
        assert bytes(frame) in made.data, syntax
        assert pydicom.dcmread(io.BytesIO(made.data)).PixelData == pydicom.dcmread(io.BytesIO(data)).PixelData
        assert not [taken for taken in made.report if taken.keyword == "PixelData"]


def test_comments_in_coded_frames_are_blanked_and_the_picture_is_the_same(tmp_path):
    from tests.generators.images import comment_segment, exif_segment

    frame = jpeg_frame(exif_segment(), comment_segment()) + WORDS.encode()
    data = make.dicom(make.smooth((32, 40), 255, np.uint8), syntax=make.jpeg(50), coded=[frame])
    made = run(data)
    assert b"Canary" not in made.data
    assert b"C\0a\0n\0a\0r\0y" not in made.data
    assert [taken.action for taken in made.report if taken.keyword == "PixelData"] == ["C (comments in coded frames)"]
    plain = make.dicom(make.smooth((32, 40), 255, np.uint8), syntax=make.jpeg(50), coded=[jpeg_frame()])
    for name, content in (("one", made.data), ("two", plain)):
        (tmp_path / name).write_bytes(content)
    one, two = (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / name))) for name in ("one", "two"))
    np.testing.assert_array_equal(one, two)


def test_a_comment_in_jpeg_2000_is_blanked(tmp_path):
    picture = make.smooth((32, 40), 255, np.uint8)
    frame = bytearray(imagecodecs.jpeg2k_encode(picture, reversible=True, codecformat="j2k", level=0))
    comment = b"\xff\x64" + (4 + len(WORDS)).to_bytes(2, "big") + b"\0\1" + WORDS.encode()
    at = frame.index(b"\xff\x52")
    frame[at:at] = comment
    data = make.dicom(picture, syntax=make.jpeg(90), coded=[bytes(frame)])
    made = run(data)
    assert b"Canary" not in made.data
    (tmp_path / "a.dcm").write_bytes(made.data)
    read = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "a.dcm")))
    np.testing.assert_array_equal(read.reshape(picture.shape), picture)


def test_bits_that_no_value_has_are_cleared_and_values_stay():
    pixels = make.phantom((6, 8), np.uint16) & 0x0FFF
    hidden = pixels | 0x5000
    plain = {"BitsStored": 12, "HighBit": 11}
    made = read(make.dicom(hidden, **plain))
    np.testing.assert_array_equal(np.frombuffer(made.PixelData, "<u2").reshape(6, 8), pixels)
    assert ("7FE00010", "C (bits that no value has)") in actions(make.dicom(hidden, **plain))
    signed = (make.phantom((6, 8), np.int16) >> 4).astype(np.int16)  # repeats the sign, as usual
    assert read(make.dicom(signed, **plain)).PixelData == signed.tobytes()


def test_nothing_behind_the_pixels_stays():
    data = ct() + make.element(0xFFFC, 0xFFFC, b"OB", WORDS.encode() + b" ") + WORDS.encode()
    padded = make.dicom(make.phantom((5, 5), np.uint8))
    assert b"Canary" not in run(data).data
    assert len(run(padded).data) % 2 == 0
