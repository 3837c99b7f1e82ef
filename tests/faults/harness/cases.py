"""Files that are an image only together: a series of DICOM, a header with its data, a slide; and halves of such."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import generate_uid

from tests.generators import dicoms, slides, volumes

_SLICES = 3


@dataclass(frozen=True)
class CaseFile:
    """A file of a case. `case` is what the accession shall be called, `inner` the path in its bundle where one is due.

    Files of a case that lacks something are of none, and bad.
    """

    path: str
    data: bytes
    case: str = ""
    inner: str = ""
    fate: str = "good"


def case_files(rng, seed, number):
    """Files of one or two cases, in any order."""
    makers = [_series, _pair, _slide, _flat_slide, _common_series, _half]
    made = [file for maker in rng.sample(makers, rng.randint(1, 2)) for file in maker(f"{seed} {number}", number)]
    rng.shuffle(made)
    return made


def _series(seed, number):
    return _slices(f"d{number}/series-{number}", seed, f"series-{number}.dcm")


def _common_series(_seed, _number):
    return _slices("common/scan", "the same everywhere", "scan.dcm")


def _slices(folder, seed, name):
    uid = [generate_uid(entropy_srcs=[seed, str(place)]) for place in range(_SLICES + 2)]
    data = dicoms.series(
        dicoms.along([3.0 * place for place in range(_SLICES)]),
        pixels=[dicoms.phantom((10, 20), "int16", seed=_number(seed) + place) for place in range(_SLICES)],
        each=lambda place: {"SOPInstanceUID": uid[place]},
        StudyInstanceUID=uid[-1],
        SeriesInstanceUID=uid[-2],
    )
    return [CaseFile(f"{folder}/IM{place:04}", slice_, name) for place, slice_ in enumerate(data)]


def _pair(seed, number):
    name = f"volume-{number}"
    header, data = volumes.metaimage(volumes.draw(seed=_number(seed)), data_file=f"{name}.raw")
    return [
        CaseFile(f"d{number}/{name}.mhd", header, f"{name}.mhd", f"{name}.mhd"),
        CaseFile(f"d{number}/{name}.raw", data, f"{name}.mhd", f"{name}.raw"),
    ]


def _slide(seed, number):
    name = f"slide-{number}"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        written = slides.write_mirax(folder, slides.tissue(256, 256, seed=_number(seed)))
        data = {path.replace("m.mrxs", f"{name}.mrxs").replace("m/", f"{name}/"): folder / path for path in written}
        return [CaseFile(f"d{number}/{path}", file.read_bytes(), f"{name}.mrxs", path) for path, file in data.items()]


def _flat_slide(seed, number):
    """A slide in one file, which is a case and no bundle."""
    return [CaseFile(f"d{number}/flat-{number}.svs", slides.aperio(slides.tissue(256, 192, seed=_number(seed))))]


def _half(seed, number):
    header, _data = volumes.metaimage(volumes.draw(seed=_number(seed)), data_file=f"gone-{number}.raw")
    return [CaseFile(f"d{number}/half-{number}.mhd", header, fate="bad")]


def _number(seed):
    return int.from_bytes(seed.encode()[-6:], "big")
