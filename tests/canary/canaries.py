"""Invented identifiers, each unlike all others, and the ways in which one may be spelt in a file."""

import base64
import datetime as dt
import re
import struct
import zlib


class Canaries:
    """Mints identifiers and keeps them: words, UIDs, dates. `words` are of nine letters, so they fit everywhere."""

    def __init__(self, start=0):
        self._next = start
        self.words, self.uids, self.dates = [], [], []

    def __len__(self):
        return len(self.words) + len(self.uids) + len(self.dates)

    def word(self):
        self._next += 1
        self.words.append(f"ZQ{self._next:05d}XV")
        return self.words[-1]

    def name(self):
        return f"{self.word()}^{self.word()}"

    def uid(self):
        self._next += 1
        self.uids.append(f"1.2.826.0.1.3680043.99{self._next:05d}.{self._next * 7919}")
        return self.uids[-1]

    def date(self):
        """Days from 1931 on: no file of the tests says them otherwise; a time of 11:22:33 goes with them."""
        self._next += 1
        self.dates.append(dt.date(1931, 1, 1) + dt.timedelta(days=len(self.dates)))
        assert self.dates[-1].year < 1950, "more dates than the search looks for"
        return self.dates[-1]


class Minting(str):
    """A text of which every use in an f-string is another canary; for generators that plant one word."""

    __slots__ = ("canaries",)

    def __new__(cls, canaries):
        made = super().__new__(cls, canaries.word())
        made.canaries = canaries
        return made

    def __format__(self, spec):
        return self.canaries.word()

    def encode(self, *arguments):
        return self.canaries.word().encode(*arguments)


# What is searched for in each of the `views` of a file: a word of any number, a UID, and dates.
_WORD = re.compile(rb"ZQ(\d{5})XV", re.IGNORECASE)
_UID = re.compile(rb"1\.2\.826\.0\.1\.3680043\.99\d{5}\.\d+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){9,}")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_YEAR_FIRST = re.compile(rb"(?<!\d)(19[34]\d)([-:/.]?)(0[1-9]|1[0-2])\2([0-3]\d)(?!\d(?!\d{5}))")
_YEAR_LAST = re.compile(rb"(?<!\d)([0-3]\d)[-/.]([0-3]\d)[-/.](19[34]\d)(?!\d)")
_IN_WORDS = (
    re.compile(rb"(?<!\d)([0-3]?\d)[- ]([A-Za-z]{3})[a-z]*[- ](19[34]\d)(?!\d)"),
    re.compile(rb"([A-Za-z]{3})[a-z]* ([0-3]?\d),? (19[34]\d)(?!\d)"),
)


def views(data):
    """The bytes as text may stand in them: one after another, every second, every fourth, backwards, swapped."""
    yield data
    for step in (2, 4):
        for start in range(step):
            yield data[start::step]
    yield data[::-1]
    for size in (2, 4):
        for start in range(size):
            whole = data[start : start + (len(data) - start) // size * size]
            swapped = bytearray(len(whole))
            for at in range(size):
                swapped[at::size] = whole[size - 1 - at :: size]
            yield bytes(swapped)
    for pattern, decode in ((_BASE64, _from_base64), (_HEX, _from_hex)):
        for found in pattern.finditer(data):
            yield from decode(found[0])


def _from_base64(text):
    text = text.translate(bytes.maketrans(b"-_", b"+/"))
    for start in range(4):
        part = text[start:]
        yield base64.b64decode(part + b"A" * (-len(part) % 4))


def _from_hex(text):
    for start in range(2):
        yield bytes.fromhex(text[start : start + (len(text) - start) // 2 * 2].decode())


def dates_in(data):
    """Every date from 1930 to 1949 that is spelt in bytes, in all the usual orders; PNG's binary one too."""
    for found in _YEAR_FIRST.finditer(data):
        yield int(found[1]), int(found[3]), int(found[4])
    for found in _YEAR_LAST.finditer(data):
        yield int(found[3]), int(found[2]), int(found[1])
        yield int(found[3]), int(found[1]), int(found[2])
    for pattern, order in zip(_IN_WORDS, ((2, 1), (1, 2)), strict=True):
        for found in pattern.finditer(data):
            month, day = found[order[0]].decode().lower(), int(found[order[1]])
            if month in _MONTHS:
                yield int(found[3]), _MONTHS.index(month) + 1, day
    for at in (found.start() for found in re.finditer(rb"\x07[\x8a-\x9d][\x01-\x0c][\x01-\x1f]\x0b\x16\x21", data)):
        yield struct.unpack_from(">HBB", data, at)


def unpacked(data, most=50_000_000):
    """The bytes themselves and all that zlib can unpack of them, wherever it begins."""
    data = bytes(data)
    yield data
    for found in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", data):
        bits = 31 if data[found.start()] == 0x1F else 15
        try:
            inflated = zlib.decompressobj(bits).decompress(data[found.start() :], most)
        except zlib.error:
            continue
        if inflated:
            yield inflated


def find(canaries, parts):
    """Which canaries can be found in byte strings: {canary: part}. `parts` are by name."""
    words, uids = {int(word[2:7]): word for word in canaries.words}, set(canaries.uids)
    days = {(day.year, day.month, day.day): day for day in canaries.dates}
    found = {}
    for name, part in parts.items():
        for data in unpacked(part):
            for view in views(data):
                for match in _WORD.finditer(view):
                    if int(match[1]) in words:
                        found[words[int(match[1])]] = name
                for match in _UID.finditer(view):
                    if match[0].decode() in uids:
                        found[match[0].decode()] = name
                for date in dates_in(view):
                    if date in days:
                        found[str(days[date])] = name
    return found
