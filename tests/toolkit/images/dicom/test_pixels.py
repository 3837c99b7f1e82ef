"""Every transfer syntax and way of storing pixels gives the numbers that were written."""

import imagecodecs
import numpy as np
import pytest
import SimpleITK

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.readers.dicom import DicomReader
from tests.generators import dicoms as make

MEMORY = 50_000_000
READER = DicomReader()


@pytest.fixture
def read(tmp_path):
    return lambda *files, memory=MEMORY: READER.read(make.keep(tmp_path, *files), memory=memory)


@pytest.fixture
def refusal(read):
    def refused(*files, **options):
        with pytest.raises(Refused) as caught:
            read(*files, **options)
        return caught.value

    return refused


@pytest.mark.parametrize("syntax", [make.IMPLICIT, make.EXPLICIT, make.BIG, make.DEFLATED])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
def test_native_pixels_of_any_type_and_byte_order(read, syntax, dtype):
    pixels = make.phantom((3, 11, 17), dtype)
    volume = read(make.dicom(pixels, syntax=syntax))
    assert volume.voxels.dtype == dtype
    assert np.array_equal(volume.voxels[:, 0], pixels)


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_big_endian_bytes_lie_in_words_or_not_as_the_vr_says(read, vr):
    pixels = make.phantom((3, 5, 7), np.uint8)
    assert np.array_equal(read(make.dicom(pixels, syntax=make.BIG, vr=vr)).voxels[:, 0], pixels)


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("extended", [True, False])
def test_coded_frames_by_any_offset_table(read, table, extended):
    frames = make.phantom((5, 11, 17), np.int16)
    coded = [make.rle(frame) for frame in frames]
    data = make.dicom(frames, syntax=make.RLE, coded=coded, table=table, extended=extended)
    assert np.array_equal(read(data).voxels[:, 0], frames)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32])
def test_rle(read, dtype):
    pixels = make.phantom((11, 17), dtype)
    assert np.array_equal(read(make.dicom(pixels, syntax=make.RLE, coded=[make.rle(pixels)])).voxels[0, 0], pixels)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("number", [57, 70])
def test_lossless_jpeg(read, number, bits):
    pixels = make.phantom((16, 24), np.uint8 if bits == 8 else np.uint16) >> (16 - bits if bits > 8 else 0)
    coded = [make.lossless_jpeg(pixels, bits, predictor=1 if number == 70 else 4)]
    data = make.dicom(pixels, syntax=make.jpeg(number), coded=coded, BitsStored=bits, HighBit=bits - 1)
    assert np.array_equal(read(data).voxels[0, 0], pixels)


def test_signed_numbers_in_lossless_jpeg(read):
    pixels = make.phantom((16, 24), np.int16)
    data = make.dicom(pixels, syntax=make.jpeg(70), coded=[make.lossless_jpeg(pixels.view(np.uint16), 16)])
    assert np.array_equal(read(data).voxels[0, 0], pixels)


@pytest.mark.parametrize(("number", "bits"), [(50, 8), (51, 8), (51, 12), (53, 12), (55, 12)])
def test_lossy_jpeg(read, number, bits):
    pixels = make.smooth(most=(1 << bits) - 1, dtype=np.uint8 if bits == 8 else np.uint16)
    coded = [imagecodecs.jpeg8_encode(pixels, level=98, bitspersample=bits)]
    data = make.dicom(pixels, syntax=make.jpeg(number), coded=coded, BitsStored=bits, HighBit=bits - 1)
    voxels = read(data).voxels[0, 0]
    assert voxels.dtype == pixels.dtype
    assert np.abs(voxels.astype(int) - pixels).max() <= (1 << bits) // 100


@pytest.mark.parametrize("number", [80, 81])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_jpeg_ls(read, number, dtype):
    pixels = make.phantom((16, 24), dtype)
    coded = [imagecodecs.jpegls_encode(pixels, level=number - 80)]
    voxels = read(make.dicom(pixels, syntax=make.jpeg(number), coded=coded)).voxels[0, 0]
    assert np.abs(voxels.astype(int) - pixels).max() <= number - 80


@pytest.mark.parametrize("number", [90, 91])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_jpeg_2000(read, number, dtype):
    pixels = make.phantom((16, 24), dtype)
    coded = [imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K", reversible=True)]
    assert np.array_equal(read(make.dicom(pixels, syntax=make.jpeg(number), coded=coded)).voxels[0, 0], pixels)


@pytest.mark.parametrize("number", [201, 202, 203])
def test_high_throughput_jpeg_2000(read, number):
    pixels = make.phantom((32, 40), np.uint16)
    coded = [imagecodecs.htj2k_encode(pixels, reversible=True)]
    assert np.array_equal(read(make.dicom(pixels, syntax=make.jpeg(number), coded=coded)).voxels[0, 0], pixels)


def test_sign_is_what_the_header_says_where_the_codestream_says_otherwise(read):
    pixels = make.phantom((16, 24), np.int16) >> 3
    coded = [
        imagecodecs.jpeg2k_encode((pixels & 0x1FFF).astype(np.uint16), level=0, codecformat="J2K", bitspersample=13)
    ]
    data = make.dicom(pixels, syntax=make.jpeg(90), coded=coded, BitsStored=13, HighBit=12)
    assert np.array_equal(read(data).voxels[0, 0], pixels)


def test_deflated_and_uncoded_frames(read):
    pixels = make.phantom((3, 11, 17), np.int16)
    frames = [frame.tobytes() for frame in pixels]
    deflated = make.dicom(pixels, syntax="1.2.840.10008.1.2.8.1", coded=[make.deflate(raw) for raw in frames])
    assert np.array_equal(read(deflated).voxels[:, 0], pixels)
    uncoded = make.dicom(pixels, syntax="1.2.840.10008.1.2.1.98", coded=frames)
    assert np.array_equal(read(uncoded).voxels[:, 0], pixels)


def test_frame_in_several_fragments(read):
    frames = make.phantom((2, 16, 24), np.uint16)
    coded = [imagecodecs.jpegls_encode(frame) for frame in frames]
    from pydicom.encaps import encapsulate

    made = make.dataset(frames)
    made.PixelData = encapsulate(coded, fragments_per_frame=3, has_bot=False)
    made["PixelData"].is_undefined_length = True
    assert np.array_equal(read(make.write(made, syntax=make.jpeg(80))).voxels[:, 0], frames)


# --- bits


@pytest.mark.parametrize("high", [11, 13, 15])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_twelve_bits_anywhere_with_overlays_in_the_others(read, dtype, high):
    pixels = make.phantom((11, 17), np.int16) >> 4 if dtype == np.int16 else make.phantom((11, 17)) >> 4
    shift = high - 11
    stored = ((pixels & 0xFFF).astype(np.uint16) << shift) | np.uint16(0xFFFF & ~(0xFFF << shift))
    data = make.dicom(stored.view(dtype), BitsStored=12, HighBit=high)
    volume = read(data)
    assert volume.voxels.dtype == dtype
    assert np.array_equal(volume.voxels[0, 0], pixels)


def test_single_bits_run_on_from_frame_to_frame(read):
    frames = np.random.default_rng(3).integers(0, 2, (3, 5, 7), np.uint8)
    packed = np.packbits(frames.reshape(-1), bitorder="little")
    made = make.dataset(frames, SOPClassUID=make.SC, BitsAllocated=1, BitsStored=1, HighBit=0)
    made.PixelData = packed.tobytes() + b"\0" * (len(packed) % 2)
    made["PixelData"].VR = "OB"
    assert np.array_equal(read(make.write(made)).voxels[:, 0], frames)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("syntax", [make.EXPLICIT, make.BIG, make.IMPLICIT])
def test_floating_point_pixels(read, dtype, syntax):
    pixels = np.random.default_rng(1).normal(size=(11, 17)).astype(dtype)
    volume = read(make.dicom(pixels, syntax=syntax, SOPClassUID=make.STORAGE + "30"))
    assert volume.voxels.dtype == dtype
    assert np.array_equal(volume.voxels[0, 0], pixels)


# --- values


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"),
    [
        ("1", "-1024", np.int16),
        ("2", "0", np.int16),
        ("1", "0", np.uint16),
        ("-3", "7", np.int16),
        ("16", "0", np.uint16),
    ],
)
def test_whole_slope_and_intercept_keep_whole_numbers(read, slope, intercept, dtype):
    pixels = make.phantom() >> 4
    volume = read(make.dicom(pixels, RescaleSlope=slope, RescaleIntercept=intercept, BitsStored=12, HighBit=11))
    assert volume.rescaled
    assert volume.voxels.dtype == dtype
    assert np.array_equal(volume.voxels[0, 0], pixels.astype(int) * int(slope) + int(intercept))


def test_no_value_is_cut_where_the_range_grows(read):
    pixels = make.phantom()
    volume = read(make.dicom(pixels, RescaleSlope="1", RescaleIntercept="-1024"))
    assert volume.voxels.dtype == np.int32
    assert np.array_equal(volume.voxels[0, 0], pixels.astype(int) - 1024)
    huge = read(make.dicom(pixels, RescaleSlope="100000", RescaleIntercept="-5"))
    assert np.array_equal(huge.voxels[0, 0], pixels.astype(np.int64) * 100000 - 5)


@pytest.mark.parametrize(
    ("stored", "line", "kept"),
    [
        ((np.int16, -2000, 3071), ("1", "-1024"), np.int16),  # CT of 16 stored bits, as GE writes it
        ((np.uint16, 0, 4095), ("1", "-1024"), np.int16),
        ((np.int16, -31744, 32767), ("1", "-1024"), np.int16),  # to the last value that fits
        ((np.int16, -31745, 32767), ("1", "-1024"), np.int32),
        ((np.uint16, 0, 33791), ("1", "-1024"), np.int16),
        ((np.uint16, 0, 33792), ("1", "-1024"), np.int32),
        ((np.uint16, 0, 30000), ("2", "5"), np.uint16),
        ((np.int16, -30000, 30000), ("-2", "0"), np.int32),
    ],
)
def test_sixteen_bits_are_kept_where_the_values_that_are_there_fit(read, tmp_path, stored, line, kept):
    (dtype, least, most), (slope, intercept) = stored, line
    pixels = np.clip(make.phantom((40, 50), dtype), least, most).astype(dtype)
    pixels[0, :2] = least, most
    data = make.dicom(pixels, RescaleSlope=slope, RescaleIntercept=intercept, PixelSpacing=[0.5, 0.7])
    volume = read(data)
    assert volume.voxels.dtype == kept
    assert np.array_equal(volume.voxels[0, 0], pixels.astype(np.int64) * int(slope) + int(intercept))
    (tmp_path / "itk.dcm").write_bytes(data)
    itk = SimpleITK.ReadImage(str(tmp_path / "itk.dcm"))
    assert np.array_equal(volume.voxels[0], SimpleITK.GetArrayFromImage(itk).reshape(1, 40, 50))
    assert volume.geometry.spacing[:2] == pytest.approx(itk.GetSpacing()[:2])


def test_narrowing_goes_by_all_slices_and_over_more_than_one_piece(tmp_path):
    shape = (700, 800)  # two slices are more values than are moved at once
    slices = [np.clip(make.phantom(shape, np.int16, seed), -2000, 3000) for seed in (1, 2)]
    where = [(0, 0, 0), (0, 0, 1)]
    facts = {"PixelSpacing": [1, 1], "RescaleSlope": "1", "RescaleIntercept": "-1024"}

    def read_series():
        return READER.read(make.keep(tmp_path, *make.series(where, pixels=slices, **facts)), memory=MEMORY)

    volume = read_series()
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels[0], np.stack(slices) - 1024)
    slices[1][5, 5] = -32768
    volume = read_series()
    assert volume.voxels.dtype == np.int32
    assert np.array_equal(volume.voxels[0], np.stack(slices).astype(int) - 1024)


def test_fractions_become_float32(read):
    pixels = make.phantom()
    volume = read(make.dicom(pixels, RescaleSlope="0.25", RescaleIntercept="-1.5"))
    assert volume.voxels.dtype == np.float32
    assert np.array_equal(volume.voxels[0, 0], (pixels * 0.25 - 1.5).astype(np.float32))


def test_slope_of_zero_is_refused(refusal):
    assert refusal(make.dicom(make.phantom(), RescaleSlope="0", RescaleIntercept="1")).code == "corrupt"


def test_modality_table_is_looked_up(read):
    pixels = make.phantom(dtype=np.uint8)
    entries = list(range(1000, 1200))
    table = make.item(LUTDescriptor=[200, 10, 16], ModalityLUTType="HU", LUTData=np.array(entries, "<u2").tobytes())
    volume = read(make.dicom(pixels, ModalityLUTSequence=[table]))
    assert np.array_equal(volume.voxels[0, 0], np.clip(pixels.astype(int) - 10, 0, 199) + 1000)
    assert volume.rescaled


def test_monochrome1_keeps_its_values_and_says_so(read):
    pixels = make.phantom()
    volume = read(make.dicom(pixels, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(volume.voxels[0, 0], pixels)
    assert volume.facts.inverted


def test_windows_padding_and_curve_are_told(read):
    volume = read(
        make.dicom(
            make.phantom(dtype=np.int16),
            WindowCenter=[40, -600],
            WindowWidth=[400, 1500],
            WindowCenterWidthExplanation=["SOFT", "LUNG"],
            VOILUTFunction="SIGMOID",
            PixelPaddingValue=-2000,
        )
    )
    assert [(one.centre, one.width, one.name) for one in volume.windows] == [(40, 400, "SOFT"), (-600, 1500, "LUNG")]
    assert any("SIGMOID" in note for note in volume.notes)
    assert any("-2000" in note for note in volume.notes)


# --- colour


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", [make.EXPLICIT, make.BIG])
def test_rgb_of_both_planar_configurations(read, dtype, planar, syntax):
    pixels = make.phantom((2, 9, 12, 3), dtype)
    stored = np.moveaxis(pixels, 3, 1) if planar else pixels
    made = make.dataset(pixels, colour=True, PlanarConfiguration=planar)
    volume = read(make.write(made, syntax=syntax, pixels=stored))
    assert volume.colour == "rgb"
    assert np.array_equal(volume.voxels[:, 0], pixels)


def ybr_of(rgb):
    """PS3.3 C.7.6.3.1.2, written out."""
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    blueness = -0.168736 * red - 0.331264 * green + 0.5 * blue + 128
    redness = 0.5 * red - 0.418688 * green - 0.081312 * blue + 128
    return np.stack([luminance, blueness, redness], axis=-1).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("coding", ["native", "rle", "jpegls", "lossless"])
def test_ybr_full_becomes_rgb(read, coding):
    pixels = make.phantom((10, 12, 3), np.uint8)
    stored = ybr_of(pixels)
    made = make.dataset(pixels, colour=True, PhotometricInterpretation="YBR_FULL")
    if coding == "native":
        data = make.write(made, pixels=stored)
    elif coding == "rle":
        data = make.write(made, syntax=make.RLE, coded=[make.rle(stored)])
    elif coding == "jpegls":
        data = make.write(made, syntax=make.jpeg(80), coded=[imagecodecs.jpegls_encode(stored)])
    else:
        data = make.write(made, syntax=make.jpeg(70), coded=[make.lossless_jpeg(stored, 8)])
    assert np.abs(read(data).voxels[0, 0].astype(int) - pixels).max() <= 2


def test_ybr_full_422_shares_chroma(read):
    pixels = np.repeat(make.phantom((10, 6, 3), np.uint8), 2, axis=1)
    ybr = ybr_of(pixels)
    stored = np.stack([ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)
    made = make.dataset(pixels, colour=True, PhotometricInterpretation="YBR_FULL_422")
    assert np.abs(read(make.write(made, pixels=stored)).voxels[0, 0].astype(int) - pixels).max() <= 2


@pytest.mark.parametrize(("photometric", "space"), [("RGB", "RGB"), ("YBR_FULL_422", "YCBCR"), ("YBR_FULL", "YCBCR")])
def test_colours_of_lossy_jpeg(read, photometric, space):
    y, x = np.mgrid[0:32, 0:40]
    pixels = np.stack([x * 6, y * 7, 255 - x * 3], axis=-1).astype(np.uint8)
    coded = imagecodecs.jpeg8_encode(pixels, level=98, colorspace="RGB", outcolorspace=space, subsampling="444")
    made = make.dataset(pixels, colour=True, PhotometricInterpretation=photometric)
    voxels = read(make.write(made, syntax=make.jpeg(50), coded=[coded])).voxels[0, 0]
    assert np.abs(voxels.astype(int) - pixels).max() <= 6


@pytest.mark.parametrize("photometric", ["YBR_RCT", "YBR_ICT", "RGB"])
def test_colours_of_jpeg_2000(read, photometric):
    pixels = make.phantom((32, 40, 3), np.uint8)
    coded = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K", reversible=True, mct=photometric != "RGB")
    made = make.dataset(pixels, colour=True, PhotometricInterpretation=photometric)
    assert np.array_equal(read(make.write(made, syntax=make.jpeg(91), coded=[coded])).voxels[0, 0], pixels)


def palette(entries, *, first=0, bits=8, words=None):
    rng = np.random.default_rng(5)
    colours = rng.integers(0, 1 << bits, (entries, 3))
    attributes = {"PhotometricInterpretation": "PALETTE COLOR"}
    for index, name in enumerate(("Red", "Green", "Blue")):
        attributes[f"{name}PaletteColorLookupTableDescriptor"] = [entries % 65536, first, bits]
        attributes[f"{name}PaletteColorLookupTableData"] = colours[:, index].astype(words or "<u2").tobytes()
    return colours, attributes


@pytest.mark.parametrize(("bits", "words"), [(8, "<u2"), (8, "u1"), (16, "<u2")])
def test_palette_is_looked_up(read, bits, words):
    colours, attributes = palette(256, bits=bits, words=words)
    pixels = make.phantom(dtype=np.uint8)
    volume = read(make.dicom(pixels, **attributes))
    assert volume.colour == "rgb"
    assert volume.voxels.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert np.array_equal(volume.voxels[0, 0], colours[pixels])


def test_palette_begins_where_it_says_and_its_ends_go_on(read):
    colours, attributes = palette(100, first=50)
    pixels = make.phantom(dtype=np.uint8)
    expected = colours[np.clip(pixels.astype(int) - 50, 0, 99)]
    assert np.array_equal(read(make.dicom(pixels, **attributes)).voxels[0, 0], expected)


def test_segmented_palette(read):
    pixels = np.arange(8, dtype=np.uint8).reshape(2, 4)
    words = np.array([0, 2, 0, 0x1000, 1, 4, 0x5000, 2, 1, 0, 0], "<u2").tobytes()
    attributes = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name in ("Red", "Green", "Blue"):
        attributes[f"{name}PaletteColorLookupTableDescriptor"] = [8, 0, 16]
        attributes[f"Segmented{name}PaletteColorLookupTableData"] = words
    grey = read(make.dicom(pixels, **attributes)).voxels[0, 0, :, :, 0].reshape(-1)
    assert list(grey) == [0, 0x10, 0x20, 0x30, 0x40, 0x50, 0, 0x10]


@pytest.mark.parametrize(
    "lie",
    [
        {"RedPaletteColorLookupTableData": b"\0\0"},
        {"RedPaletteColorLookupTableDescriptor": [256, 0, 12]},
        {"GreenPaletteColorLookupTableData": None},
        {"BluePaletteColorLookupTableDescriptor": [255, 0, 8]},
    ],
)
def test_lying_palettes_are_refused(refusal, lie):
    _, attributes = palette(256)
    assert refusal(make.dicom(make.phantom(dtype=np.uint8), **(attributes | lie))).code == "corrupt"


@pytest.mark.parametrize("photometric", ["YBR_PARTIAL_422", "YBR_PARTIAL_420", "HSV", "ARGB", "CMYK"])
def test_other_colours_are_refused_in_words(refusal, photometric):
    made = make.dataset(make.phantom((4, 4, 3), np.uint8), colour=True, PhotometricInterpretation=photometric)
    refused = refusal(make.write(made, pixels=make.phantom((4, 4, 3), np.uint8)))
    assert refused.code == "unsupported_variant"
    assert photometric in refused.message


@pytest.mark.parametrize(
    ("number", "word"), [("100", "film"), ("102.1", "film"), ("107", "film"), ("94", "JPIP"), ("205", "JPIP")]
)
def test_films_and_jpip_are_refused_in_words(refusal, number, word):
    refused = refusal(make.dicom(make.phantom(), syntax=make.jpeg(number), coded=[b"\0" * 64]))
    assert refused.code == "unsupported_variant"
    assert word in refused.message


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
@pytest.mark.parametrize("space", ["RGB", "YCBCR"])
@pytest.mark.parametrize("marked", [True, False])
def test_markers_of_a_jpeg_say_its_colours_and_the_header_only_where_there_are_none(read, photometric, space, marked):
    y, x = np.mgrid[0:32, 0:40]
    pixels = np.stack([x * 6, y * 7, 255 - x * 3], axis=-1).astype(np.uint8)
    coded = imagecodecs.jpeg8_encode(pixels, level=98, colorspace="RGB", outcolorspace=space, subsampling="444")
    assert (b"JFIF" in coded, b"Adobe" in coded) == (space == "YCBCR", space == "RGB")
    if not marked:
        # Without its marker, and with components called 1, 2, 3.
        length = int.from_bytes(coded[4:6], "big")
        coded = (b"\xff\xd8" + coded[4 + length :]).replace(b"R\x11\0G\x11\0B\x11\0", b"\1\x11\0\2\x11\0\3\x11\0")
        coded = coded.replace(b"\x03R\0G\0B\0", b"\x03\1\0\2\0\3\0")
    made = make.dataset(pixels, colour=True, PhotometricInterpretation=photometric)
    voxels = read(make.write(made, syntax=make.jpeg(50), coded=[coded])).voxels[0, 0]
    right = marked or (space == "RGB") == (photometric == "RGB")
    assert (np.abs(voxels.astype(int) - pixels).max() <= 8) == right
