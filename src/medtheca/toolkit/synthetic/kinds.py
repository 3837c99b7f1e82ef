"""Which lesions are drawn, how often, and on whom: enough like a clinic's to make filters and facets worth trying."""

from dataclasses import dataclass

from medtheca.toolkit.synthetic import lesions
from medtheca.toolkit.synthetic.lesions import Painter

ANYWHERE = (
    "Trunk:Posterior trunk:Upper back",
    "Trunk:Posterior trunk:Mid back",
    "Trunk:Posterior trunk:Lower back",
    "Trunk:Anterior trunk:Anterior chest",
    "Trunk:Anterior trunk:Anterior abdomen",
    "Trunk:Lateral trunk:Lateral chest",
    "Upper extremity:Upper arm:Lateral upper arm",
    "Upper extremity:Forearm:Volar forearm",
    "Upper extremity:Shoulder:Posterior shoulder",
    "Lower extremity:Thigh:Anterior thigh",
    "Lower extremity:Lower leg:Calf",
    "Lower extremity:Foot:Dorsum of foot",
    "Head and neck:Neck:Side of neck",
)
SUN_EXPOSED = (
    "Head and neck:Head:Face:Cheek",
    "Head and neck:Head:Face:Nose",
    "Head and neck:Head:Face:Forehead",
    "Head and neck:Head:Face:Temple",
    "Head and neck:Head:Scalp",
    "Head and neck:Neck:Nape of neck",
    "Upper extremity:Hand:Dorsum of hand",
    "Upper extremity:Forearm:Dorsal forearm",
    "Trunk:Anterior trunk:Anterior chest:Upper anterior chest",
)
LIMBS = (
    "Lower extremity:Lower leg:Shin",
    "Lower extremity:Lower leg:Calf",
    "Lower extremity:Thigh:Lateral thigh",
    "Upper extremity:Upper arm:Posterior upper arm",
)


@dataclass(frozen=True, kw_only=True)
class LesionKind:
    """One kind of lesion.

    Attributes:
        diagnosis: a value of the diagnosis vocabulary, full path.
        weight: share among all lesions, relative to the others'.
        ages: youngest and oldest patient, in years.
        biopsied: share confirmed by histopathology.
        diameters: smallest and largest, in millimetres.
    """

    diagnosis: str
    paint: Painter
    weight: float
    ages: tuple[int, int]
    sites: tuple[str, ...]
    biopsied: float
    melanocytic: bool
    diameters: tuple[float, float]

    @property
    def malignant(self) -> bool:
        return self.diagnosis.startswith("Malignant:")


_MELANOCYTIC = "Benign:Benign melanocytic proliferations:"
_EPIDERMAL = "Benign:Benign epidermal proliferations:"
_SOFT_TISSUE = "Benign:Benign soft tissue proliferations - "
_MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma):"


def _kind(
    diagnosis: str,
    paint: Painter,
    weight: float,
    ages: tuple[int, int],
    sites: tuple[str, ...] = ANYWHERE,
    /,
    *,
    biopsied: float,
    melanocytic: bool = False,
    diameters: tuple[float, float] = (3, 10),
) -> LesionKind:
    return LesionKind(
        diagnosis=diagnosis,
        paint=paint,
        weight=weight,
        ages=ages,
        sites=sites,
        biopsied=biopsied,
        melanocytic=melanocytic,
        diameters=diameters,
    )


KINDS = (
    _kind(_MELANOCYTIC + "Nevus", lesions.paint_nevus, 30, (20, 70), biopsied=0.25, melanocytic=True),
    _kind(
        _MELANOCYTIC + "Nevus:Nevus, Atypical, Dysplastic, or Clark:Nevus, Dysplastic",
        lesions.paint_atypical_nevus,
        9,
        (20, 65),
        biopsied=0.8,
        melanocytic=True,
        diameters=(5, 12),
    ),
    _kind(_MELANOCYTIC + "Nevus:Nevus, Spitz", lesions.paint_spitz, 3, (20, 40), LIMBS, biopsied=0.9, melanocytic=True),
    _kind(_MELANOCYTIC + "Nevus:Blue nevus", lesions.paint_blue_nevus, 4, (20, 60), biopsied=0.6, melanocytic=True),
    _kind(
        _MELANOMA + "Melanoma, NOS",
        lesions.paint_melanoma,
        4,
        (30, 85),
        biopsied=1,
        melanocytic=True,
        diameters=(6, 20),
    ),
    _kind(
        _MELANOMA + "Melanoma Invasive:Melanoma Invasive, Superficial spreading",
        lesions.paint_melanoma,
        6,
        (30, 85),
        biopsied=1,
        melanocytic=True,
        diameters=(6, 20),
    ),
    _kind(
        _MELANOMA + "Melanoma in situ",
        lesions.paint_melanoma,
        4,
        (35, 85),
        biopsied=1,
        melanocytic=True,
        diameters=(5, 14),
    ),
    _kind(
        _EPIDERMAL + "Seborrheic keratosis",
        lesions.paint_seborrheic_keratosis,
        12,
        (40, 85),
        biopsied=0.3,
        diameters=(5, 20),
    ),
    _kind(_EPIDERMAL + "Solar lentigo", lesions.paint_solar_lentigo, 6, (40, 85), SUN_EXPOSED, biopsied=0.15),
    _kind(
        "Malignant:Malignant adnexal epithelial proliferations - Follicular:Basal cell carcinoma",
        lesions.paint_basal_cell_carcinoma,
        9,
        (40, 85),
        SUN_EXPOSED,
        biopsied=1,
        diameters=(4, 15),
    ),
    _kind(
        "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma in situ:"
        "Squamous cell carcinoma in situ, Bowens disease",
        lesions.paint_bowen,
        3,
        (50, 85),
        LIMBS,
        biopsied=1,
        diameters=(6, 20),
    ),
    _kind(
        "Indeterminate:Indeterminate epidermal proliferations:Solar or actinic keratosis",
        lesions.paint_actinic_keratosis,
        4,
        (50, 85),
        SUN_EXPOSED,
        biopsied=0.4,
    ),
    _kind(
        _SOFT_TISSUE + "Fibro-histiocytic:Dermatofibroma",
        lesions.paint_dermatofibroma,
        5,
        (20, 60),
        LIMBS,
        biopsied=0.3,
    ),
    _kind(_SOFT_TISSUE + "Vascular:Hemangioma:Hemangioma, Cherry", lesions.paint_hemangioma, 4, (30, 80), biopsied=0.1),
)
