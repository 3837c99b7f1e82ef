"""What may have happened to a file on its way, and what an attacker would do to it. All from one seed."""

import gzip
import random
import re
import struct
import zlib

from tests.damage import layouts
from tests.damage.specimens import Specimen, specimens

ELSEWHERE = (
    "/etc/passwd", "../x", "../../../../etc/passwd", "C:\\x", "\\\\host\\x", "http://127.0.0.1:9/x",
    "file:///etc/passwd", "/dev/zero", "/proc/self/mem", ".", "..", "", "a" * 5000, "a\0b", "LIST",
    "%d.raw", "a\u202eb",
)  # fmt: skip
_NAMED = (
    rb"ElementDataFile = (?P<name>[^\n]*)", rb"data file: (?P<name>[^\n]*)", rb'FileName="(?P<name>[^"]*)"',
    rb"(?:ImageFile|MapFile|MacroImage|OptimisationFile)[^=\n]*=(?P<name>[^\n]*)",
    rb"(?:FILE_\d+|INDEXFILE)\s*=\s*(?P<name>[^\r\n]*)", rb"(?:Filename|User) = (?P<name>[^|\0]*)",
)  # fmt: skip
_SUFFIXES = (
    ".mha", ".mhd", ".nii", ".nii.gz", ".nrrd", ".nhdr", ".dcm", ".fda", ".fds", ".tif", ".ome.tif", ".svs", ".ndpi",
    ".scn", ".bif", ".vms", ".vmu", ".mrxs", ".png", ".jpg", ".raw", ".hdr", "", ".exe", ".NII", ".Svs",
)  # fmt: skip
_LIARS = {
    "nii": layouts.lie_in_nifti, "dicom": layouts.lie_in_dicom, "tiff": layouts.lie_in_tiff,
    "ome-tiff": layouts.lie_in_tiff, "svs": layouts.lie_in_tiff, "ndpi": layouts.lie_in_tiff,
    "scn": layouts.lie_in_tiff, "bif": layouts.lie_in_tiff, "jpeg": layouts.lie_in_jpeg, "png": layouts.lie_in_png,
    "fda": layouts.lie_in_oct, "fds": layouts.lie_in_oct,
}  # fmt: skip
_TEXTS = {"mha", "mhd", "nrrd", "vms", "vmu", "mrxs"}
_HEADER = 4096


def damaged(seed, number):
    """The file of a number: a `Specimen` and words that say what was done to it. The same for the same two numbers."""
    rng = random.Random(f"{seed}/{number}")
    formats = list(specimens())
    one = rng.choice(specimens()[formats[number % len(formats)]])
    words = []
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        damage = rng.choice(DAMAGES)
        one = damage(rng, one)
        words.append(damage.__name__)
    return one, f"{one.variant}: {' and '.join(words)}"


def _change(rng, one, change):
    """One of the files changed, the main one more often than others; a gzip as what is in it, half of the time."""
    names = list(one.files)
    name = one.main if rng.random() < 0.5 else rng.choice(names)
    data = one.files[name]
    if name.endswith(".gz") and rng.random() < 0.5:
        return _put(one, name, _repacked(data, change))
    return _put(one, name, change(data))


def _repacked(data, change):
    """A gzip whose content was changed; itself where it is too damaged for that."""
    try:
        inside = gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data
    return gzip.compress(change(inside), 1, mtime=0)


def _put(one, name, data):
    return Specimen(one.format, one.variant, one.files | {name: data}, one.photo)


def _place(rng, size):
    """Somewhere in a file, mostly where headers are: at its beginning, or at its end as with TIFF."""
    if size < 2:
        return 0
    draw = rng.random()
    if draw < 0.5:
        return min(size - 1, int(2 ** rng.uniform(0, 12)) - 1)
    if draw < 0.7:
        return max(0, size - 1 - rng.randrange(_HEADER))
    return rng.randrange(size)


def truncate(rng, one):
    """Cut off anywhere, or so that a few bytes are missing."""

    def cut(data):
        at = rng.choice((_place(rng, len(data)), rng.randrange(len(data) + 1), len(data) - rng.randrange(1, 9)))
        return data[: max(0, at)]

    return _change(rng, one, cut)


def flip(rng, one):
    def turn(data):
        out = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4, 32))):
            if out:
                out[_place(rng, len(out))] ^= 1 << rng.randrange(8)
        return bytes(out)

    return _change(rng, one, turn)


def move(rng, one):
    """A piece taken out, doubled, blanked or put elsewhere."""

    def change(data):
        start = _place(rng, len(data))
        end = min(len(data), start + int(2 ** rng.uniform(0, 10)))
        piece, to = data[start:end], _place(rng, len(data))
        return rng.choice(
            (
                data[:start] + data[end:],
                data[:end] + piece + data[end:],
                data[:start] + bytes(end - start) + data[end:],
                data[:start] + b"\xff" * (end - start) + data[end:],
                data[:to] + piece + data[to:],
                data + piece,
            )
        )

    return _change(rng, one, change)


def lie(rng, one):
    """A number that says how large something is."""
    if one.format in _TEXTS and rng.random() < 0.7:
        # Of a slide in several files, the key file has the words.
        name = next((each for each in one.files if each.endswith("Slidedat.ini")), one.main)
        return _put(one, name, layouts.lie_in_text(rng, one.files[name]))

    def change(data):
        liar = _LIARS.get("nii" if one.format == "nii.gz" else one.format)
        if len(data) < 64:
            return data
        draw = rng.random()
        if liar and draw < 0.65:
            try:
                return liar(rng, data)
            except (IndexError, ValueError, struct.error):  # of what was damaged before, nothing is where it was
                return data
        if draw < 0.75:
            return rng.choice((layouts.lie_in_jpeg, layouts.lie_in_jpeg_2000))(rng, data)
        return layouts.lie_anywhere(rng, data, _place(rng, len(data)))

    if one.format == "nii.gz":
        return _put(one, one.main, _repacked(one.files[one.main], change))
    return _change(rng, one, change)


def misname(rng, one):
    """Another suffix, or the content of another format under its own name."""
    if rng.random() < 0.7:
        stem, suffix = one.main.partition(".")[0], rng.choice(_SUFFIXES)
        called = stem + suffix if len(one.files) == 1 else "other" + suffix
        files = {called: one.files[one.main]}
        rest = {name: data for name, data in one.files.items() if name != one.main}
        return Specimen(one.format, one.variant, files | rest, one.photo)
    other = rng.choice([each for kind in specimens().values() for each in kind if each.photo == one.photo])
    return _put(one, rng.choice(list(one.files)), other.files[other.main])


def point_elsewhere(rng, one):
    """Another path where a file is named; a file that is missing, or has another's content."""
    for name, data in rng.sample(list(one.files.items()), len(one.files)):
        found = [match for pattern in _NAMED for match in re.finditer(pattern, data[:65536])]
        if found and rng.random() < 0.8:
            match = rng.choice(found)
            path = rng.choice(ELSEWHERE).encode()
            if one.format in {"ome-tiff", "svs"}:
                path = path[: len(match["name"])].ljust(len(match["name"]))  # places in a TIFF are counted
            return _put(one, name, data[: match.start("name")] + path + data[match.end("name") :])
    if len(one.files) == 1:
        return lie(rng, one)
    names = list(one.files)[1:]
    gone = rng.choice(names)
    if rng.random() < 0.5:
        rest = {name: data for name, data in one.files.items() if name != gone}
        return Specimen(one.format, one.variant, rest, one.photo)
    return _put(one, gone, one.files[rng.choice(list(one.files))])


DAMAGES = (truncate, flip, flip, move, lie, lie, lie, misname, point_elsewhere)
