"""What a slide's file says of how it was scanned and stained, from the properties that OpenSlide reads.

Properties are what the scanner wrote, and some hold names and numbers of patients: only those that are named here are
looked at, and texts only where they look like what they should be or stand in a table of the standard.
"""

import re
from collections.abc import Iterable, Mapping

from medtheca.toolkit.images.devices import device_facts
from medtheca.toolkit.images.facts import Facts
from medtheca.toolkit.images.terms import find_body_part, find_stain

MOST_POWER = 1000.0
MAKERS = {
    "aperio": "Aperio", "hamamatsu": "Hamamatsu", "leica": "Leica", "mirax": "3DHISTECH", "ventana": "Ventana",
    "philips-tiff": "Philips", "trestle": "Trestle",
}  # fmt: skip
# The only properties that models are read from, and what they may look like: others may hold a name or a number.
_MODELS = {
    "aperio.ScannerType": re.compile(r"(ScanScope |Aperio )?(AT|CS|GT|LV|VERSA)[ A-Z0-9]{0,8}"),
    "hamamatsu.Product": re.compile(r"C\d{4,5}(-\d{1,3})?"),
    "tiff.Model": re.compile(r"(Hamamatsu )?NanoZoomer( ?[A-Z0-9.-]{1,8}){0,2}|C\d{4,5}(-\d{1,3})?"),
    "leica.device-model": re.compile(r"Leica (SCN|VERSA)[A-Z0-9 ]{0,8}"),
    "ventana.ScannerModel": re.compile(r"(VENTANA (DP|iScan)|iScan)[ A-Za-z0-9]{0,10}"),
}
# How OpenSlide writes the paths of codes within sequences of DICOM.
_SPECIMEN = r"dicom\.SpecimenDescriptionSequence\[\d+\]\."
_ITEM = r"\[\d+\]\.(CodeValue|CodeMeaning)"
_USED = re.compile(
    rf"({_SPECIMEN}SpecimenPreparationSequence\[(\d+)\]\.SpecimenPreparationStepContentItemSequence\[(\d+)\])"
    rf"\.ConceptCodeSequence{_ITEM}"
)
_REGION = re.compile(rf"((dicom\.|{_SPECIMEN})(AnatomicRegion|PrimaryAnatomicStructure)Sequence){_ITEM}")


def read_slide_facts(properties: Mapping[str, str], vendor: str) -> Facts:
    """The facts of a slide; a DICOM slide names its stains and its organ in codes, the others name neither."""
    maker: str | None = MAKERS.get(vendor)
    models = ((pattern, properties.get(name, "").strip()) for name, pattern in _MODELS.items())
    model = next((value for pattern, value in models if pattern.fullmatch(value)), None)
    if vendor == "dicom":
        maker = properties.get("dicom.Manufacturer", "").strip()
        model = properties.get("dicom.ManufacturerModelName", "").strip()
    stains = (find_stain(*texts) for texts in _coded(properties, _USED))
    parts = (find_body_part(*texts) for texts in _coded(properties, _REGION))
    return Facts(
        modality="SM",
        body_part=next((code for code in parts if code is not None), None),
        magnification=_read_number(properties.get("openslide.objective-power"), most=MOST_POWER),
        stain=tuple(dict.fromkeys(code for code in stains if code is not None)),
        **device_facts(maker, model),
    )


def _coded(properties: Mapping[str, str], pattern: re.Pattern[str]) -> Iterable[tuple[str, ...]]:
    """Value and meaning of each code whose path matches, in the order of the file."""
    found: dict[tuple[int, ...], list[str]] = {}
    for name, value in properties.items():
        if pattern.fullmatch(name):
            place = tuple(int(number) for number in re.findall(r"\[(\d+)\]", name))
            found.setdefault(place, []).append(value)
    return (tuple(found[place]) for place in sorted(found))


def read_microns(properties: Mapping[str, str]) -> tuple[float, float] | None:
    """Of the finest level, along x and y, in µm; None where the file does not say."""
    x, y = (_read_number(properties.get(f"openslide.mpp-{axis}"), most=100_000) for axis in "xy")
    return (x, y) if x and y else None


def _read_number(text: str | None, *, most: float) -> float | None:
    """A positive number within reason; None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number <= most else None
