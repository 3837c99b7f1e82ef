"""In which order the pages of a TIFF make a stack: by OME-XML, by ImageJ's words, or one behind the other.

Sources: OME-TIFF specification and OME schema 2016-06; ImageJ's `TiffDecoder.java` and `FileInfo.java`.
"""

import math
import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from medtheca.toolkit.deidentify.faults import corrupt, truncated, unsupported
from medtheca.toolkit.errors import Refused
from medtheca.toolkit.images.volume import Triple

_MOST_PLANES = 20_000
_MM = {
    "m": 1e3, "dm": 1e2, "cm": 10.0, "mm": 1.0, "µm": 1e-3, "μm": 1e-3, "um": 1e-3, "micron": 1e-3, "microns": 1e-3,
    "nm": 1e-6, "Å": 1e-7, "inch": 25.4, "in": 25.4, "\\u00B5m": 1e-3,
}  # fmt: skip
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "µs": 1e-6, "μs": 1e-6}
_ASIDE = re.compile(r"label|macro|overview|thumbnail", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plane:
    """Where one plane lies: the page of a file, None for the file that is being read."""

    page: int
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Planes by [time][slice][channel], and what the words beside them say: millimetres and seconds."""

    times: int
    slices: int
    channels: int
    planes: tuple[Plane, ...]
    spacing: tuple[float | None, float | None, float | None] = (None, None, None)
    time_step: float | None = None

    def plane(self, time: int, slice_: int, channel: int) -> Plane:
        return self.planes[(time * self.slices + slice_) * self.channels + channel]

    @property
    def whole_spacing(self) -> Triple | None:
        """All three distances, where they are known or (of one slice) do not matter."""
        x, y, z = self.spacing
        if z is None and self.slices == 1:
            z = 1.0
        return None if x is None or y is None or z is None else (x, y, z)


def read_ome(description: bytes, *, pages: int) -> Layout | None:
    """The layout that OME-XML gives; None where the words are something else.

    Raises:
        Refused: `corrupt`, `unsupported_variant`.
    """
    if b"<OME" not in description and b":OME" not in description:
        return None
    root = _parse_xml(description)
    if root is None or _name(root) != "OME":
        return None
    images = [image for image in root if _name(image) == "Image"]
    several = len(images) > 1
    if several:
        images = [image for image in images if not _ASIDE.search(image.get("Name", ""))]
    if len(images) != 1:
        raise unsupported(f"This OME-TIFF holds {len(images)} images.", "Send each of them as a file of its own.")
    pixels = next((child for child in images[0] if _name(child) == "Pixels"), None)
    if pixels is None:
        raise corrupt("its OME-XML describes no pixels")
    if several and any(_name(child) == "TiffData" and "IFD" not in child.attrib for child in pixels):
        raise unsupported("This OME-TIFF does not say which pages are which image's.", "Send each image as a file.")
    return _ome_layout(root, pixels, pages)


def _ome_layout(root: ET.Element, pixels: ET.Element, pages: int) -> Layout:
    sizes = {axis: _whole(pixels.get(f"Size{axis}")) for axis in "ZCT"}
    samples = sum(_whole(c.get("SamplesPerPixel", "1")) for c in pixels if _name(c) == "Channel")
    entries = sum(1 for c in pixels if _name(c) == "Channel")
    if samples > entries and samples == sizes["C"]:
        # Samples of one page: colours, or channels that lie side by side.
        if entries != 1:
            raise unsupported("This OME-TIFF mixes channels of several samples.", "Save one channel a page.")
        sizes["C"] = 1
    total = math.prod(sizes.values())
    if not 1 <= total <= _MOST_PLANES:
        raise corrupt(f"its OME-XML promises {total:,} planes")
    order = pixels.get("DimensionOrder", "XYZCT")
    if sorted(order) != sorted("XYZCT"):
        raise corrupt("its OME-XML names an order of axes that is none")
    found = _assign(root, pixels, order[2:], sizes, pages)
    planes = []
    for t in range(sizes["T"]):
        for z in range(sizes["Z"]):
            planes += [found.get((z, c, t)) for c in range(sizes["C"])]
    if any(plane is None for plane in planes):
        raise truncated("its OME-XML promises planes that are not there")
    spacing = tuple(_length(pixels, axis) for axis in "XYZ")
    step, unit = _decimal(pixels.get("TimeIncrement")), _SECONDS.get(pixels.get("TimeIncrementUnit", "s"))
    return Layout(
        sizes["T"], sizes["Z"], sizes["C"], tuple(plane for plane in planes if plane),
        (spacing[0], spacing[1], spacing[2]), step * unit if step and unit else None,
    )  # fmt: skip


def _assign(
    root: ET.Element, pixels: ET.Element, order: str, sizes: dict[str, int], pages: int
) -> dict[tuple[int, int, int], Plane]:
    """Where each (z, c, t) lies, by the TiffData elements."""
    found: dict[tuple[int, int, int], Plane] = {}
    own = root.get("UUID")
    elements = [child for child in pixels if _name(child) == "TiffData"]
    for element in elements:
        uuid = next((child for child in element if _name(child) == "UUID"), None)
        file = None
        if uuid is not None and (uuid.text or "").strip() != own:
            file = uuid.get("FileName")
        first = _whole(element.get("IFD", "0"))
        count = _whole(element.get("PlaneCount", "1" if "IFD" in element.attrib else str(pages)))
        at = {axis: _whole(element.get(f"First{axis}", "0")) for axis in "ZCT"}
        for step in range(min(count, _MOST_PLANES)):
            if any(at[axis] >= sizes[axis] for axis in "ZCT"):
                break
            found.setdefault((at["Z"], at["C"], at["T"]), Plane(first + step, file))
            for axis in order:
                at[axis] += 1
                if at[axis] < sizes[axis] or axis == order[-1]:
                    break
                at[axis] = 0
    return found


def read_imagej(description: bytes, *, pages: int, ratios: tuple[float | None, float | None]) -> Layout | None:
    """The layout that ImageJ's words give; None where they are something else.

    `ratios` are pixels per unit along x and y, from the resolution tags.
    """
    if not description.startswith(b"ImageJ="):
        return None
    lines = (line.partition("=") for line in description.decode("utf-8", "replace").splitlines())
    words = {key.strip(): value.strip() for key, _, value in lines}
    images = _whole(words.get("images", "1"))
    sizes = {key: _whole(words.get(key, "1")) for key in ("channels", "slices", "frames")}
    if math.prod(sizes.values()) != images:
        sizes = {"channels": 1, "slices": images, "frames": 1}
    if images > pages:
        raise truncated(f"ImageJ promises {images:,} planes and there are {pages:,} pages")
    planes = tuple(Plane(page) for page in range(images))
    unit = _MM.get(words.get("unit", ""))
    x, y = (unit / ratio if unit and ratio else None for ratio in ratios)
    z = _decimal(words.get("spacing"))
    step = _decimal(words.get("finterval"))
    spacing = (x, y, z * unit if z and unit else None)
    return Layout(sizes["frames"], sizes["slices"], sizes["channels"], planes, spacing, step)


def _parse_xml(description: bytes) -> ET.Element | None:
    try:
        text = description.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise corrupt("its OME-XML is not UTF-8") from error
    # Entities can only be declared in a document type, which OME has none of: without it there is nothing to expand.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused("corrupt", "The file's OME-XML declares entities.", "Export it anew from its source.")
    try:
        return ET.fromstring(text.strip())  # noqa: S314 - no document type, so no entity to expand
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise corrupt("its OME-XML cannot be read") from error


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _whole(text: str | None) -> int:
    if text is None or not re.fullmatch(r"\d{1,9}", text.strip()):
        raise corrupt("the words beside its pixels hold no number where one belongs")
    return int(text)


def _decimal(text: str | None) -> float | None:
    """A positive number; None where there is none or it is no distance."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def _length(pixels: ET.Element, axis: str) -> float | None:
    size, unit = _decimal(pixels.get(f"PhysicalSize{axis}")), _MM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    return size * unit if size and unit else None
