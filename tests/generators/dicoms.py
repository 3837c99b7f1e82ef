"""DICOM files of every odd kind, made when needed: what a scanner, a tool or an attacker may have written."""

import io
import struct
import warnings
import zlib

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, generate_uid

from medtheca.toolkit.images.files import Files

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
STORAGE = "1.2.840.10008.5.1.4.1.1."
CT, MR, ENHANCED_MR, SC = (STORAGE + end for end in ("2", "4", "4.1", "7"))


def jpeg(number):
    return f"1.2.840.10008.1.2.4.{number}"


def phantom(shape=(12, 17), dtype=np.uint16, seed=0):
    """A picture that is like none of its mirror images, with values over the whole range of `dtype`."""
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    picture = rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    picture[0, 0], picture[-1, -1] = info.min, info.max
    return picture


def smooth(shape=(32, 40), most=4095, dtype=np.uint16):
    """A picture that lossy coding keeps."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    return ((x / shape[1] * 0.7 + y / shape[0] * 0.3) * most).astype(dtype)


def dataset(pixels=None, **attributes):
    """A CT slice. Attributes by keyword; None takes one away. `pixels` is (rows, columns), with frames or samples."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CT, generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    made.Modality = "CT"
    made.PatientName, made.PatientID = "Canary^Mary", "1947-03"
    if pixels is not None:
        describe_pixels(made, pixels, colour=attributes.pop("colour", False))
    for keyword, value in attributes.items():
        if value is None:
            if keyword in made:
                delattr(made, keyword)
        else:
            put(made, keyword, value)
    return made


def put(made, keyword, value):
    """Set an attribute, also to what the standard does not allow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setattr(made, keyword, value)


def describe_pixels(made, pixels, *, colour=False):
    frames = pixels.shape[0] if pixels.ndim == 3 + colour else 1
    made.Rows, made.Columns = pixels.shape[-2 - colour : pixels.ndim - colour]
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    if frames > 1:
        made.NumberOfFrames = frames
    bits = pixels.dtype.itemsize * 8
    if pixels.dtype.kind != "f":
        made.BitsAllocated, made.BitsStored, made.HighBit = bits, bits, bits - 1
        made.PixelRepresentation = int(pixels.dtype.kind == "i")


def write(made, *, syntax=EXPLICIT, pixels=None, coded=None, extended=False, table=True, preamble=True, vr="OW"):
    """The file's bytes. `pixels` are stored as they are; `coded` is a list of coded frames."""
    big = syntax == BIG
    if coded is not None:
        if extended:
            made.PixelData, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = encapsulate_extended(coded)
        else:
            made.PixelData = encapsulate(coded, has_bot=table)
        made["PixelData"].VR = "OB"
        made["PixelData"].is_undefined_length = True
    elif pixels is not None:
        raw = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<")).tobytes()
        if big and vr == "OW" and pixels.dtype.itemsize == 1:
            raw = np.frombuffer(raw + b"\0" * (len(raw) % 2), np.uint8).reshape(-1, 2)[:, ::-1].tobytes()
        raw += b"\0" * (len(raw) % 2)
        if pixels.dtype.kind == "f":
            setattr(made, "FloatPixelData" if pixels.dtype.itemsize == 4 else "DoubleFloatPixelData", raw)
        else:
            made.PixelData = raw
            made["PixelData"].VR = vr
    made.file_meta = FileMetaDataset()
    known = UID(syntax).is_transfer_syntax
    made.file_meta.TransferSyntaxUID = UID(syntax if known else RLE)
    put(made.file_meta, "MediaStorageSOPClassUID", made.get("SOPClassUID") or CT)
    made.file_meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID") or "1.2"
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(file, made, enforce_file_format=True)
    data = file.getvalue()
    if not known:  # pydicom writes no syntax that it does not know
        data = meta(syntax) + data[144 + int.from_bytes(data[140:144], "little") :]
    return data if preamble else data[132:]


def dicom(pixels, *, syntax=EXPLICIT, coded=None, extended=False, table=True, vr="OW", **attributes):
    """A file of these pixels in one go."""
    made = dataset(pixels, **attributes)
    stored = None if coded is not None else pixels
    return write(made, syntax=syntax, pixels=stored, coded=coded, extended=extended, table=table, vr=vr)


def bare(made, *, syntax=EXPLICIT, pixels=None):
    """The data set alone, as old scanners wrote it: neither preamble nor file meta information."""
    if pixels is not None:
        made.PixelData = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == BIG else "<")).tobytes()
        made["PixelData"].VR = "OW"
    file = io.BytesIO()
    from pydicom.filebase import DicomFileLike

    like = DicomFileLike(file)
    like.is_implicit_VR, like.is_little_endian = syntax == IMPLICIT, syntax != BIG
    write_dataset(like, made)
    return file.getvalue()


def rle(frame):
    """PS3.5 annex G: a frame (rows, columns) or (rows, columns, samples), highest bytes first."""
    planes = frame[None] if frame.ndim == 2 else np.moveaxis(frame, 2, 0)
    segments = []
    for plane in planes:
        octets = plane.astype(plane.dtype.newbyteorder(">"))[..., None].view(np.uint8)
        for byte in range(plane.dtype.itemsize):
            rows = [imagecodecs.packbits_encode(octets[row, :, byte].tobytes()) for row in range(plane.shape[0])]
            segment = b"".join(rows)
            segments.append(segment + b"\0" * (len(segment) % 2))
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    return struct.pack("<16L", len(segments), *offsets, *[0] * (15 - len(offsets))) + b"".join(segments)


def lossless_jpeg(frame, bits, predictor=1):
    return imagecodecs.jpeg8_encode(
        frame,
        lossless=True,
        predictor=predictor,
        bitspersample=bits,
        colorspace=_as_is(frame),
        outcolorspace=_as_is(frame),
    )


def _as_is(frame):
    return "GRAYSCALE" if frame.ndim == 2 else "RGB"


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


# --- series


def oblique(degrees=20.0):
    """Row and column directions that are along no axis."""
    angle = np.radians(degrees)
    row = np.array([np.cos(angle), np.sin(angle), 0])
    column = np.array([-np.sin(angle) * np.cos(angle), np.cos(angle) ** 2, np.sin(angle)])
    return row, column


def series(positions, *, pixels=None, row=(1, 0, 0), column=(0, 1, 0), each=None, **attributes):
    """Files of one series, one for each position: a list of bytes. `each(number)` gives attributes of a slice."""
    common = {
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "PixelSpacing": [2, 1],
        "ImageOrientationPatient": [float(value) for value in (*row, *column)],
    } | attributes
    made = []
    for number, position in enumerate(positions):
        own = each(number) if each else {}
        slice_ = phantom((10, 20), np.int16, seed=number) if pixels is None else pixels[number]
        where = [float(value) for value in position]
        made.append(dicom(slice_, **{**common, "ImagePositionPatient": where, "InstanceNumber": number + 1, **own}))
    return made


def along(gaps, *, row=(1, 0, 0), column=(0, 1, 0), start=(-10.0, 20.0, 5.0)):
    """Positions at these distances from `start`, along the normal."""
    normal = np.cross(row, column)
    return [np.asarray(start) + normal * gap for gap in gaps]


def item(**attributes):
    made = Dataset()
    for keyword, value in attributes.items():
        put(made, keyword, value)
    return made


def group(**attributes):
    """One functional group: each attribute is a sequence of one item."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, Sequence([item(**value)]))
    return made


def enhanced(pixels, groups, *, shared=None, **attributes):
    """An enhanced MR file with these per-frame functional groups."""
    made = dataset(pixels, SOPClassUID=ENHANCED_MR, Modality="MR", **attributes)
    made.PerFrameFunctionalGroupsSequence = Sequence(groups)
    if shared is not None:
        made.SharedFunctionalGroupsSequence = Sequence([shared])
    return write(made, pixels=pixels)


# --- damage


def element(group_, number, vr, value):
    """One element, explicit little-endian."""
    if vr in {b"OB", b"OW", b"SQ", b"UN"}:
        return struct.pack("<HH2sHL", group_, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group_, number, vr, len(value)) + value


def meta(syntax=EXPLICIT):
    """Preamble and the least of file meta information."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return b"\0" * 128 + b"DICM" + element(2, 0x10, b"UI", uid)


def nested(depth):
    """A data set whose sequences are nested so deep, all of undefined length."""
    opening = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    closing = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    return meta() + opening * depth + closing * depth


def keep(folder, *files):
    """Files in a folder, as one case."""
    folder.mkdir(exist_ok=True, parents=True)
    names = tuple(f"{number:04}.dcm" for number in range(len(files)))
    for name, data in zip(names, files, strict=True):
        (folder / name).write_bytes(data)
    return Files(folder, names)
