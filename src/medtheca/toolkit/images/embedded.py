"""What a file carries beside its pixels, by kind: for people who are to know what will be taken out."""

from medtheca.toolkit.deidentify.exif import name_contents
from medtheca.toolkit.deidentify.jpeg_segments import APP1, parse_jpeg
from medtheca.toolkit.deidentify.png_chunks import parse_png
from medtheca.toolkit.deidentify.stripped import Buffer

_EXIF = b"Exif\x00"


def name_exif(data: Buffer, kind: str) -> list[str]:
    """What the EXIF of a JPEG or PNG tells, as `exif.name_contents` has it; several blocks are told as one."""
    found = {words for block in _exif_blocks(data, kind) for words in name_contents(block)}
    return sorted(found)


def _exif_blocks(data: Buffer, kind: str) -> list[Buffer]:
    if kind == "jpeg":
        layout = parse_jpeg(data)
        payloads = (layout.payload(segment) for segment in layout.segments if segment.marker == APP1)
        return [payload[6:] for payload in payloads if bytes(payload[:5]) == _EXIF]
    if kind == "png":
        block = parse_png(data).find(b"eXIf")
        return [] if block is None else [block]
    return []
