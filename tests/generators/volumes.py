"""Volumes in every volume format, made when needed: right ones, odd ones and lying ones.

Voxels are arrays as `Volume` has them: (t, z, y, x) or (t, z, y, x, c).
"""

import bz2
import gzip
import json
import struct
import subprocess
import sys
import zlib

import nibabel
import numpy as np
import SimpleITK

from medtheca.toolkit.images.files import Files

CANARY = "Mary Canary 1947-03-29"
META_TYPES = {
    "int8": "MET_CHAR",
    "uint8": "MET_UCHAR",
    "int16": "MET_SHORT",
    "uint16": "MET_USHORT",
    "int32": "MET_INT",
    "uint32": "MET_UINT",
    "int64": "MET_LONG_LONG",
    "uint64": "MET_ULONG_LONG",
    "float32": "MET_FLOAT",
    "float64": "MET_DOUBLE",
}
NRRD_TYPES = {
    "int8": "signed char",
    "uint8": "uchar",
    "int16": "short",
    "uint16": "unsigned short int",
    "int32": "int",
    "uint32": "uint32_t",
    "int64": "long long",
    "uint64": "uint64",
    "float32": "float",
    "float64": "double",
}
TYPES = tuple(META_TYPES)


def draw(sizes=(5, 4, 3), kind="int16", *, times=1, channels=1, seed=0):
    """Voxels of all values of the type, with extremes; `sizes` are x, y, z."""
    rng = np.random.default_rng(seed)
    shape = (times, *reversed(sizes), *([channels] if channels > 1 else []))
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return (rng.normal(size=shape) * 1000).astype(dtype)
    limits = np.iinfo(dtype)
    voxels = rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    voxels.flat[0], voxels.flat[-1] = limits.min, limits.max
    return voxels


def tilt(seed=1, *, left_handed=False):
    """Directions at right angles, along no axis of the patient: 3 by 3."""
    matrix = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    if (np.linalg.det(matrix) < 0) != left_handed:
        matrix[:, 2] = -matrix[:, 2]
    return matrix


def keep(folder, **contents):
    """Write files (`a_mha=…` becomes a.mha) as new ones, and give them as the files of one image.

    New, because what is mapped into memory must not be written over.
    """
    names = []
    for name, data in contents.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        names.append(str(path.relative_to(folder)))
    return Files(folder, tuple(names))


def join(values):
    return " ".join(repr(float(value)) for value in np.ravel(values))


def _octets(voxels, *, big):
    return voxels.astype(voxels.dtype.newbyteorder(">" if big else "<")).tobytes()


def _text(voxels):
    return " ".join(str(value) for value in voxels.ravel().tolist()).encode() + b"\n"


# --- MetaImage


def metaimage(
    voxels,
    *,
    count=3,
    spacing=(0.5, 2.0, 3.25, 1.0),
    origin=(-10.5, 20.25, 3.0, 0.0),
    direction=None,
    big=False,
    packed=False,
    ascii_=False,
    data_file="LOCAL",
    **fields,
):
    """A header and its voxels: two byte strings. Fields are put in, replaced, or left out (None)."""
    sizes = (voxels.shape[3], voxels.shape[2], voxels.shape[1], voxels.shape[0])[:count]
    matrix = np.eye(count)
    most = min(count, 3)
    matrix[:most, :most] = (np.eye(3) if direction is None else direction)[:most, :most]
    payload = _text(voxels) if ascii_ else _octets(voxels, big=big)
    if packed:
        payload = zlib.compress(payload)
    header = {
        "ObjectType": "Image",
        "NDims": count,
        "BinaryData": not ascii_,
        "BinaryDataByteOrderMSB": big,
        "CompressedData": packed,
        "CompressedDataSize": len(payload) if packed else None,
        "TransformMatrix": join(matrix.T),
        "Offset": join(origin[:count]),
        "ElementSpacing": join(spacing[:count]),
        "DimSize": " ".join(map(str, sizes)),
        "ElementNumberOfChannels": voxels.shape[4] if voxels.ndim == 5 else None,
        "ElementType": META_TYPES[voxels.dtype.name],
        "Comment": CANARY,
    }
    header |= fields
    header["ElementDataFile"] = data_file
    lines = "".join(f"{name} = {value}\n" for name, value in header.items() if value is not None)
    return lines.encode(), payload


def mha(voxels, **options):
    return b"".join(metaimage(voxels, **options))


# --- NRRD


def nrrd(
    voxels,
    *,
    space="left-posterior-superior",
    spacing=(0.5, 2.0, 3.25),
    origin=(-10.5, 20.25, 3.0),
    direction=None,
    big=False,
    encoding="raw",
    version=4,
    **fields,
):
    """An attached NRRD of three axes of space, the samples first. Fields as in `metaimage`, `_` for blanks."""
    steps = (np.eye(3) if direction is None else direction) * spacing
    vectors = [f"({','.join(repr(float(value)) for value in column)})" for column in steps.T]
    samples = voxels.ndim == 5
    sizes = [*([voxels.shape[4]] if samples else []), *voxels.shape[3:0:-1]]
    header = {
        "type": NRRD_TYPES[voxels.dtype.name],
        "dimension": len(sizes),
        "space": space,
        "space dimension": None,
        "sizes": " ".join(map(str, sizes)),
        "space directions": " ".join([*(["none"] if samples else []), *vectors]),
        "kinds": " ".join([*(["vector"] if samples else []), *["domain"] * 3]),
        "endian": "big" if big else "little",
        "encoding": encoding,
        "space origin": f"({','.join(map(repr, origin))})",
    }
    header |= {name.replace("_", " "): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\n" for name, value in header.items() if value is not None)
    text = f"NRRD000{version}\n# {CANARY}\n{lines}name of patient:={CANARY}\n\n"
    return text.encode("latin-1") + encode(voxels, encoding, big=big)


def encode(voxels, encoding, *, big=False):
    octets = _octets(voxels, big=big)
    return {
        "raw": lambda: octets,
        "gzip": lambda: gzip.compress(octets, mtime=0),
        "bzip2": lambda: bz2.compress(octets),
        "ascii": lambda: _text(voxels),
        "hex": lambda: octets.hex(" ", 16).encode() + b"\n",
    }[encoding]()


# --- NIfTI


def affine(*, spacing=(0.5, 2.0, 3.25), origin=(-10.5, 20.25, 3.0), direction=None):
    """RAS of the indices, 4 by 4, from the grid as NIfTI has it."""
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if direction is None else direction) * spacing
    matrix[:3, 3] = origin
    return matrix


def nifti(voxels, *, sform=None, sform_code=0, qform=None, qform_code=0, version=1, big=False, count=3, **fields):
    """One file, as nibabel writes it; then fields of the header are set as they are, be they right or wrong."""
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    header = kind.header_class(endianness=">" if big else "<")
    array = voxels.T.reshape(voxels.T.shape[:count]) if voxels.ndim == 4 else np.transpose(voxels, (3, 2, 1, 0, 4))
    header.set_data_dtype(voxels.dtype)
    image = kind(array, None, header, dtype=voxels.dtype)
    if qform is not None:
        image.set_qform(qform, qform_code)
    if sform is not None:
        image.set_sform(sform, sform_code)
    placed = sform if qform is None else qform
    if placed is not None:
        image.header["pixdim"][1:4] = np.sqrt((placed[:3, :3] ** 2).sum(axis=0))
    image.header["descrip"] = CANARY.encode()
    if version == 1:
        image.header["db_name"] = b"Canary"
    image.header["aux_file"] = CANARY.encode()
    # nibabel would give a place to a file that is to have none.
    codes = {"qform_code": qform_code, "sform_code": sform_code}
    return patch(image.to_bytes(), **(codes | fields))


def colour_nifti(voxels, matrix, **fields):
    """RGB24 or RGBA32."""
    channels = voxels.shape[-1]
    names = "RGBA"[:channels]
    kind = np.dtype([(name, "u1") for name in names])
    array = np.ascontiguousarray(voxels).view(kind)[..., 0].T
    array = array[..., 0] if array.shape[3] == 1 else array
    image = nibabel.Nifti1Image(array, matrix)
    return patch(image.to_bytes(), **fields)


def patch(data, **fields):
    """The NIfTI file with fields of its header overwritten; a number as key `dim__4` is one of several."""
    big = int.from_bytes(data[:4], "big") in {348, 540}
    first = int.from_bytes(data[:4], "big" if big else "little") == 348
    record = (nibabel.nifti1 if first else nibabel.nifti2).header_dtype.newbyteorder(">" if big else "<")
    out = np.frombuffer(bytearray(data), np.uint8)
    view = out[: record.itemsize].view(record)[0:1]
    for name, value in fields.items():
        field, _, index = name.partition("__")
        if index:
            view[field][0][int(index)] = value
        else:
            view[field][0] = value
    return out.tobytes()


# --- reading by others, and within limits


def by_itk(path):
    """Voxels as `Volume` has them, spacing, origin and direction (3 by 3) as SimpleITK reads the file."""
    image = SimpleITK.ReadImage(str(path))
    count, channels = image.GetDimension(), image.GetNumberOfComponentsPerPixel()
    array = SimpleITK.GetArrayFromImage(image)
    samples = array.shape[count:] if channels > 1 else ()
    array = array.reshape((1,) * (4 - count) + array.shape[:count] + samples)
    most = min(count, 3)
    direction = np.eye(3)
    direction[:most, :most] = np.reshape(image.GetDirection(), (count, count))[:most, :most]
    spacing = (*image.GetSpacing(), 1.0)[:3]
    origin = (*image.GetOrigin(), 0.0)[:3]
    return array, spacing, origin, direction


def assert_same(volume, path, *, close=False):
    """The volume is what SimpleITK reads: voxels (nearly, if `close`) and geometry."""
    array, spacing, origin, direction = by_itk(path)
    assert volume.voxels.shape == array.shape
    if close:
        np.testing.assert_allclose(volume.voxels, array, rtol=1e-6, atol=1e-6)
    else:
        assert volume.voxels.dtype == array.dtype
        np.testing.assert_array_equal(volume.voxels, array)
    most = min(volume.dimensions, 3)
    ours = np.reshape(volume.geometry.direction, (3, 3))[:most, :most]
    np.testing.assert_allclose(ours, direction[:most, :most], atol=1e-5)
    # What a file does not say is 1 and 0 with ITK.
    np.testing.assert_allclose((volume.geometry.spacing or (1, 1, 1))[:most], spacing[:most], rtol=1e-6)
    np.testing.assert_allclose((volume.geometry.origin or (0, 0, 0))[:most], origin[:most], rtol=1e-6, atol=1e-5)


_CHILD = """
import json, resource, sys
from importlib import import_module
from pathlib import Path
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.files import Files
module, kind, folder, name, memory, room = sys.argv[1:]
reader = getattr(import_module(module), kind)()
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(room),) * 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
loaded = set(sys.modules)
try:
    volume = reader.read(Files(Path(folder), (name,)), memory=int(memory))
    code = str(volume.voxels.shape)
except Refused as refused:
    code = refused.code
taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(json.dumps([code, taken, sorted(set(sys.modules) - loaded)]))
"""


def read_within(reader, files, *, memory, room):
    """Read in a process that can take `room` bytes of addresses more: the refusal's code, or the shape; bytes taken.

    As in the sandbox, no module may be loaded once reading has begun.
    """
    kind = type(reader)
    arguments = [kind.__module__, kind.__name__, str(files.folder), files.main, str(memory), str(room)]
    done = subprocess.run([sys.executable, "-c", _CHILD, *arguments], capture_output=True, text=True, check=True)
    code, taken, loaded = json.loads(done.stdout)
    assert not loaded
    return code, taken


def bomb(before, size, *, level=9, wbits=31):
    """Deflate, in a wrapper of zlib (15) or gzip (31), that unpacks to `before` and then `size` zeros.

    Made in little memory and time: after a full flush the same zeros are the same bytes, so a megabyte is packed once.
    """
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    zeros, times = bytes(1 << 20), size >> 20
    out = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    out += (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)) * times + packer.flush()
    count = zlib.crc32 if wbits == 31 else zlib.adler32
    total = count(before)
    for _ in range(times):
        total = count(zeros, total)
    if wbits == 31:
        length = (len(before) + (times << 20)) % (1 << 32)
        return bytes.fromhex("1f8b08000000000002ff") + out + struct.pack("<II", total, length)
    return b"\x78\xda" + out + struct.pack(">I", total)
