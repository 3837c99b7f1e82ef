"""Invented patients, their lesions and the pictures taken of them, in the words of the dermatology fields."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from medtheca.toolkit.synthetic.kinds import KINDS, LesionKind
from medtheca.toolkit.synthetic.surroundings import View

_SKIN_TYPES = {"I": 14, "II": 30, "III": 26, "IV": 14, "V": 9, "VI": 7}
_PROOFS = ("single image expert consensus", "single contributor clinical assessment")
_DERMOSCOPES = ("contact polarized", "contact non-polarized", "non-contact polarized")


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Someone who does not exist. Equal numbers of different series are different people."""

    series: int
    number: int
    age: int
    sex: str
    fitzpatrick: str
    family_melanoma: bool


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One lesion of a patient; all its pictures are drawn from the same seed."""

    number: int
    patient: Patient
    kind: LesionKind
    site: str
    proof: str
    diameter_mm: float
    thickness_mm: float | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of a lesion. `day`: days since the first, which is day 0."""

    lesion: Lesion
    view: View
    dermoscope: str
    day: int
    seed: int

    def metadata(self) -> dict[str, str]:
        """Values by field name, as a spreadsheet would hold them; they keep the rules of the dermatology fields."""
        lesion, patient = self.lesion, self.lesion.patient
        biopsied = lesion.proof == "histopathology"
        return {
            "age": str(patient.age),
            "sex": patient.sex,
            "anatom_site": lesion.site,
            "diagnosis": lesion.kind.diagnosis,
            "diagnosis_confirm_type": lesion.proof,
            "concomitant_biopsy": _truth(biopsied and self.day == 0),
            "melanocytic": _truth(lesion.kind.melanocytic),
            "clin_size_long_diam_mm": f"{lesion.diameter_mm:.1f}",
            "mel_thick_mm": "" if lesion.thickness_mm is None else f"{lesion.thickness_mm:.2f}",
            "family_hx_mm": _truth(patient.family_melanoma),
            "fitzpatrick_skin_type": patient.fitzpatrick,
            "image_type": "dermoscopic",
            "dermoscopic_type": self.dermoscope,
            "image_manipulation": "synthetic",
            "acquisition_day": str(self.day),
            "patient_id": f"SYN{patient.series}-P{patient.number:05d}",
            "lesion_id": f"SYN{patient.series}-L{lesion.number:05d}",
        }


def invent_picture(seed: int) -> Picture:
    """One picture of one lesion of one patient, all numbered `seed`."""
    dice = random.Random(seed)  # noqa: S311 - invention, not secrecy
    lesion = _invent_lesion(dice, _invent_patient(dice, 0, seed), seed)
    return _invent_picture(dice, lesion, day=0)


def invent_pictures(count: int, seed: int) -> list[Picture]:
    """`count` pictures, well mixed: most patients have a few lesions, some lesions have a second picture later on."""
    dice = random.Random(seed)  # noqa: S311 - invention, not secrecy
    pictures: list[Picture] = []
    for patient in _invent_patients(dice, seed):
        if len(pictures) >= count:
            break
        for _ in range(dice.choices((1, 2, 3, 5), (50, 25, 15, 10))[0]):
            lesion = _invent_lesion(dice, patient, len(pictures) + 1)
            pictures.append(_invent_picture(dice, lesion, day=0))
            if lesion.proof != "histopathology" and dice.random() < 0.2:
                pictures.append(_invent_picture(dice, lesion, day=dice.randrange(60, 400)))
    del pictures[count:]
    dice.shuffle(pictures)
    return pictures


def _invent_patients(dice: random.Random, series: int) -> Iterator[Patient]:
    number = 0
    while True:
        number += 1
        yield _invent_patient(dice, series, number)


def _invent_patient(dice: random.Random, series: int, number: int) -> Patient:
    return Patient(
        series=series,
        number=number,
        age=min(85, max(20, 5 * round(dice.gauss(52, 17) / 5))),
        sex=dice.choice(("female", "male")),
        fitzpatrick=dice.choices(list(_SKIN_TYPES), list(_SKIN_TYPES.values()))[0],
        family_melanoma=dice.random() < 0.08,
    )


def _invent_lesion(dice: random.Random, patient: Patient, number: int) -> Lesion:
    # Each age has its kinds: at 20 there are nevi, at 85 there are keratoses.
    kinds = [kind for kind in KINDS if kind.ages[0] <= patient.age <= kind.ages[1]]
    kind = dice.choices(kinds, [kind.weight for kind in kinds])[0]
    proof = "histopathology" if dice.random() < kind.biopsied else dice.choice(_PROOFS)
    if proof != "histopathology" and dice.random() < 0.2:
        proof = "serial imaging showing no change"
    invasive = "Melanoma Invasive" in kind.diagnosis
    return Lesion(
        number=number,
        patient=patient,
        kind=kind,
        site=dice.choice(kind.sites),
        proof=proof,
        diameter_mm=dice.uniform(*kind.diameters),
        thickness_mm=min(6.0, dice.lognormvariate(-0.4, 0.7)) if invasive else None,
        seed=dice.getrandbits(32),
    )


def _invent_picture(dice: random.Random, lesion: Lesion, *, day: int) -> Picture:
    dermoscope = dice.choices(_DERMOSCOPES, (60, 20, 20))[0]
    in_contact = dermoscope != "non-contact polarized"
    stubble = dice.random() < 0.15
    view = View(
        fitzpatrick=lesion.patient.fitzpatrick,
        tint=dice.choices(("none", "pink", "blue"), (70, 18, 12))[0],
        hairs=dice.choices((0, dice.randrange(1, 6), dice.randrange(16, 36)), (52, 34, 14))[0],
        stubble=stubble,
        light_hair=lesion.patient.age >= 65 or dice.random() < 0.12,
        plate=dice.choices((None, dice.uniform(0.72, 0.98)), (62, 38))[0] if in_contact else None,
        ruler=dice.random() < 0.2,
        ink=dice.random() < 0.07,
        bubbles=dice.choice((0, 0, 2, 5)) if dermoscope == "contact non-polarized" else 0,
        blurry=dice.random() < 0.03,
    )
    return Picture(lesion=lesion, view=view, dermoscope=dermoscope, day=day, seed=dice.getrandbits(32))


def _truth(value: bool) -> str:  # noqa: FBT001 - it is the value itself
    return "true" if value else "false"
