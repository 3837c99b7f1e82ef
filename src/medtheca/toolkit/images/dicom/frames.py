"""One frame at a time: its bytes found by checked offset tables, decoded, its stored bits made numbers."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medtheca.toolkit.deidentify.faults import corrupt, truncated
from medtheca.toolkit.deidentify.stripped import Buffer
from medtheca.toolkit.images.dicom import codecs, colours
from medtheca.toolkit.images.dicom.formats import DEFLATED_FRAMES, NATIVE, PALETTE, RLE, UNCODED_FRAMES, PixelFormat
from medtheca.toolkit.images.dicom.headers import Header, read_header
from medtheca.toolkit.images.dicom.structure import DEFLATED

Samples = NDArray[Any]


class Frames:
    """The frames of one file. Nothing is decoded before `frame` asks for it."""

    def __init__(self, form: PixelFormat, data: Buffer, *, memory: int) -> None:
        self.form = form
        self._body = data
        self._palette: colours.Palette | None = None
        self._coded: list[Buffer] | None = None
        # Plain pixels need no header any more, which is half of the time that a series takes.
        if form.syntax not in NATIVE or form.syntax == DEFLATED or form.photometric == PALETTE:
            header, self._body = read_header(data, memory=memory)
            if form.photometric == PALETTE:
                self._palette = colours.read_palette(header)
            if form.syntax not in NATIVE:
                self._coded = find_frames(header, form, self._body)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the frames that `frame` gives."""
        return self.form.dtype if self._palette is None else self._palette.colours.dtype

    def frame(self, index: int) -> Samples:
        """(rows, columns), or (rows, columns, 3) as RGB, in native byte order. MONOCHROME1 is left as it is."""
        form = self.form
        samples = self._native(index) if self._coded is None else self._decode(self._coded[index])
        if self._palette is not None:
            return self._palette.look_up(samples)
        if form.samples == 3 and form.photometric.startswith("YBR_FULL") and not self._is_rgb_already():
            return colours.from_ybr(samples, form.stored)
        return samples

    def _is_rgb_already(self) -> bool:
        return self._coded is not None and form_gives_rgb(self.form)

    def _native(self, index: int) -> Samples:
        form = self.form
        if form.allocated == 1:
            return self._bits(index)
        size = form.bits_per_frame // 8
        raw = self._bytes(index * size, size)
        order = "<" if form.little else ">"
        if form.photometric == "YBR_FULL_422":
            return colours.widen(np.frombuffer(raw, np.uint8).reshape(form.rows, form.columns // 2, 4))
        if form.floating:
            kind = np.dtype(f"{order}f{form.allocated // 8}")
            return np.frombuffer(raw, kind).reshape(form.rows, form.columns).astype(form.dtype)
        kind = np.dtype(f"{order}u{form.allocated // 8}")
        return self._numbers(self._shape(np.frombuffer(raw, kind), planar=form.planar))

    def _bytes(self, at: int, size: int) -> Buffer:
        place, form = self.form.place, self.form
        if form.little or form.allocated != 8 or place.vr != "OW":
            return self._body[place.start + at : place.start + at + size]
        # PS3.5 8.1.1: big-endian words hold the first of two bytes in their lower half.
        first, last = at - at % 2, at + size + (at + size) % 2
        words = np.frombuffer(self._body[place.start + first : place.start + min(last, place.length)], np.uint8)
        if len(words) % 2:
            raise truncated("its last word of pixels is cut in two")
        return words.reshape(-1, 2)[:, ::-1].tobytes()[at - first : at - first + size]

    def _bits(self, index: int) -> Samples:
        form = self.form
        count = form.rows * form.columns
        first = index * count
        start = form.place.start
        raw = self._body[start + first // 8 : start + -(-(first + count) // 8)]
        packed = np.frombuffer(raw, np.uint8)
        if not form.little and form.place.vr == "OW":
            # Rare enough for the whole to be turned; the element is even by its VR.
            whole = np.frombuffer(self._body[start : start + form.place.length // 2 * 2], np.uint8)
            packed = whole.reshape(-1, 2)[:, ::-1].reshape(-1)[first // 8 : -(-(first + count) // 8)]
        bits = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + count]
        return bits.reshape(form.rows, form.columns)

    def _decode(self, coded: Buffer) -> Samples:
        form = self.form
        if form.syntax == RLE:
            return self._numbers(self._shape(codecs.decode_rle(coded, form), planar=True))
        if form.syntax in {DEFLATED_FRAMES, UNCODED_FRAMES}:
            kind = np.dtype(f"<u{form.allocated // 8}") if form.allocated > 1 else np.dtype(np.uint8)
            size = -(-form.bits_per_frame // 8)
            raw = codecs.inflate(coded, size) if form.syntax == DEFLATED_FRAMES else codecs.exactly(coded, size)
            if form.allocated == 1:
                bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
                return bits[: form.rows * form.columns].reshape(form.rows, form.columns)
            return self._numbers(self._shape(np.frombuffer(raw, kind), planar=form.planar))
        return codecs.decode(coded, form)

    def _shape(self, samples: Samples, *, planar: bool) -> Samples:
        form = self.form
        if form.samples == 1:
            return samples.reshape(form.rows, form.columns)
        if planar:
            return samples.reshape(form.samples, form.rows, form.columns).transpose(1, 2, 0)
        return samples.reshape(form.rows, form.columns, form.samples)

    def _numbers(self, raw: Samples) -> Samples:
        """Stored bits as numbers: what lies above and below them, such as old overlays, is left out."""
        form = self.form
        native = raw.astype(raw.dtype.newbyteorder("="), copy=False)
        up, down = form.allocated - 1 - form.high_bit, form.allocated - form.stored
        if not up and not down:
            return np.ascontiguousarray(native).view(form.dtype)
        # Shifted up to the end and down again, which copies the sign where there is one.
        moved: Samples = np.ascontiguousarray(np.left_shift(native, up)).view(form.dtype) >> np.array(down, form.dtype)
        return moved


def form_gives_rgb(form: PixelFormat) -> bool:
    """Whether decoding itself turns luminance and chroma into RGB: JPEG of eight bits does."""
    return form.syntax in codecs.LOSSY_JPEG


def find_frames(header: Header, form: PixelFormat, body: Buffer) -> list[Buffer]:
    """The coded bytes of each frame, by the extended or basic offset table, or by where frames begin.

    Raises:
        Refused: `corrupt` if an offset table does not agree with the fragments, or frames are missing.
    """
    assert form.place.fragments is not None
    (table_at, table_length), *fragments = form.place.fragments
    if not fragments:
        raise truncated("it has an offset table but no frames")
    table = bytes(body[table_at : table_at + table_length])
    first = fragments[0][0] - 8
    starts = [at - 8 - first for at, _ in fragments]
    extended, lengths = header.raw("ExtendedOffsetTable"), header.raw("ExtendedOffsetTableLengths")
    if extended:
        offsets = _offsets(extended, "<u8", form.frames, "extended offset table")
        firsts = _match(offsets, starts, "extended offset table")
        return _by_lengths(firsts, fragments, lengths, form, body)
    if table:
        firsts = _match(_offsets(table, "<u4", form.frames, "offset table"), starts, "offset table")
    elif len(fragments) == form.frames:
        firsts = list(range(form.frames))
    elif form.frames == 1:
        firsts = [0]
    else:
        firsts = [number for number, (at, _) in enumerate(fragments) if codecs.begins(body[at : at + 4], form.syntax)]
        if len(firsts) != form.frames or firsts[0]:
            raise corrupt(
                f"{form.frames} frames are promised, and {len(firsts)} begin in its {len(fragments)} fragments"
            )
    return [_join(fragments[one:next_], body) for one, next_ in zip(firsts, [*firsts[1:], len(fragments)], strict=True)]


def _offsets(table: bytes, kind: str, frames: int, name: str) -> list[int]:
    if len(table) != frames * np.dtype(kind).itemsize:
        raise corrupt(f"its {name} is not one of {frames} frames")
    return [int(offset) for offset in np.frombuffer(table, kind)]


def _match(offsets: list[int], starts: list[int], name: str) -> list[int]:
    numbers = {start: number for number, start in enumerate(starts)}
    firsts = [numbers.get(offset, -1) for offset in offsets]
    if firsts[0] != 0 or any(one >= two for one, two in pairwise(firsts)) or -1 in firsts:
        raise corrupt(f"its {name} points to where no frame begins")
    return firsts


def _by_lengths(
    firsts: list[int], fragments: list[tuple[int, int]], lengths: bytes | None, form: PixelFormat, body: Buffer
) -> list[Buffer]:
    # PS3.3 C.7.6.3.1.8: with an extended table every frame is one fragment, and its length is given without padding.
    if len(firsts) != len(fragments):
        raise corrupt("its extended offset table leaves fragments out")
    if not lengths:
        raise corrupt("its extended offset table comes without lengths")
    sizes = _offsets(lengths, "<u8", form.frames, "table of lengths")
    if any(size > length for size, (_, length) in zip(sizes, fragments, strict=True)):
        raise corrupt("its table of lengths gives a frame more bytes than it has")
    return [body[at : at + size] for size, (at, _) in zip(sizes, fragments, strict=True)]


def _join(fragments: list[tuple[int, int]], body: Buffer) -> Buffer:
    if len(fragments) == 1:
        at, length = fragments[0]
        return body[at : at + length]
    return b"".join(body[at : at + length] for at, length in fragments)
