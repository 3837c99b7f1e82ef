"""Which text the bytes of a spreadsheet are."""

import codecs
import re

from medtheca.toolkit.errors import Refused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_LETTERS = frozenset("äöüÄÖÜßéèêëÉÈÊËáàâãåÁÀÂÃÅçÇíìîïÍÌÎÏñÑóòôõÓÒÔÕúùûÚÙÛæÆøØœŒÿ")
_IN_WORD = re.compile(rb"(?<=[A-Za-z])([\x80-\xff])")
_AT_END = re.compile(rb"([\x80-\xff])(?=[A-Za-z])")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def decode_text(data: bytes) -> tuple[str, str]:
    """The text, and the name of its encoding. Raises Refused for workbooks, binary files and damaged text.

    UTF-8 and UTF-16 are recognised with and without a byte order mark. What is neither is read as Windows-1252 (of
    which Latin-1 is a part), which old spreadsheet programs write in Western Europe and America; or as Mac Roman,
    where its letters with accents make sense in that alone.

    >>> decode_text("naïve".encode("utf-16")), decode_text("naïve".encode("cp1252"))
    (('naïve', 'UTF-16'), ('naïve', 'Windows-1252'))
    >>> decode_text("männlich".encode("mac_roman"))
    ('männlich', 'Mac Roman')
    """
    if data.startswith((_ZIP, _OLE)):
        message = "This is a workbook or an archive, not a CSV file."
        raise Refused("not_text", message, "Open it in your spreadsheet program and save it as CSV UTF-8.")
    codec, name = _recognise(data)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        message = f"This is not text in {name}: byte {error.start:,} cannot be read."
        raise Refused("bad_encoding", message, "Save the spreadsheet as CSV UTF-8.") from None
    if "\x00" in text:
        message = f"Character {text.index(chr(0)):,} is NUL, which no text file has."
        raise Refused("nul", message, "The file is damaged or no CSV. Save the spreadsheet as CSV UTF-8.")
    return text, name


def _recognise(data: bytes) -> tuple[str, str]:
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return codec, name
    # Without a mark UTF-16 still shows: every second byte of the first words is NUL.
    start = data[:64]
    if len(start) >= 2 and not len(data) % 2:
        if start[1::2].count(0) * 4 > len(start) and not start[0::2].count(0):
            return "utf-16-le", "UTF-16"
        if start[0::2].count(0) * 4 > len(start) and not start[1::2].count(0):
            return "utf-16-be", "UTF-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return ("mac_roman", "Mac Roman") if _is_mac_roman(data) else ("cp1252", "Windows-1252")
    return "utf-8", "UTF-8"


def _is_mac_roman(data: bytes) -> bool:
    """Whether bytes beside letters are letters of Western Europe in Mac Roman, all of them, and not in Windows-1252.

    `ä` is 8A there, which is `Š` in Windows-1252; `ä` of Windows-1252 is `‰` there. So one is nearly always sure.
    """
    inside = {match.group(1) for match in _IN_WORD.finditer(data)} | {m.group(1) for m in _AT_END.finditer(data)}
    if not inside:
        return False
    mac = all(byte.decode("mac_roman") in _LETTERS for byte in inside)
    return mac and not all(byte.decode("cp1252", "replace") in _LETTERS for byte in inside)
