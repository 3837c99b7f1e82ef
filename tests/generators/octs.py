"""Files as Topcon's devices write them, .fda and .fds, made block by block."""

import struct

import imagecodecs


def block(name, data):
    return bytes([len(name)]) + name.encode() + struct.pack("<I", len(data)) + data


def file_of(kind, *blocks):
    return b"FOCT" + kind.encode() + struct.pack("<II", 1, 1001) + b"".join(blocks) + b"\0"


def fds(voxels, *others, size=None):
    """`voxels` is (slices, height, width), uint16."""
    slices, height, width = voxels.shape
    raw = voxels.astype("<u2").tobytes()
    head = struct.pack("<BIIIIBI", 2, width, height, 16, slices, 0, len(raw) if size is None else size)
    return file_of("FDS", block("@IMG_SCAN_03", head + raw), *others)


def fda(voxels, *others):
    slices, height, width = voxels.shape
    data = struct.pack("<BIIIIII", 2, 829, 3071, width, height, slices, 2562)
    for one in voxels:
        coded = imagecodecs.jpeg2k_encode(one, reversible=True, codecformat="j2k", level=0)
        data += struct.pack("<I", len(coded)) + coded
    return file_of("FDA", block("@IMG_JPEG", data), *others)


def sizes(across=6.0, over=4.0, depth=3.5):
    return block("@PARAM_SCAN_04", bytes(12) + struct.pack("<ddd", across, over, depth) + bytes(25))


def captured(side):
    return block("@CAPTURE_INFO_02", bytes([side]) + bytes(117))


def hardware(model="3DOCT-1000MK2"):
    return block("@HW_INFO_03", model.encode().ljust(16, b"\0") + b"230304".ljust(84, b"\0"))


def patient(words):
    return block("@PATIENT_INFO_02", words.encode().ljust(615, b"\0"))
