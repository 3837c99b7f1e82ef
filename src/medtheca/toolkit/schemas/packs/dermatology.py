"""Dermatology: the fields and rules of the ISIC Archive's metadata schema, version 6.1."""

from medtheca.toolkit.schemas.registry import (
    Approximation,
    Field,
    Histogram,
    Kind,
    Pack,
    Ranges,
    Search,
    Terms,
)
from medtheca.toolkit.schemas.rules import AtMostOne, BelongsToOne, Requires
from medtheca.toolkit.schemas.vocabulary import Vocabulary, load_hierarchy

DIAGNOSIS = load_hierarchy("diagnosis")
ANATOM_SITE = load_hierarchy("anatom_site")

MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma)"
MALIGNANT_COLLISION = "Malignant:Collision - At least one malignant proliferation"
RCM_TYPES = ("RCM: macroscopic", "RCM: tile", "RCM: mosaic")
TBP_TYPES = ("TBP tile: close-up", "TBP tile: overview")

# A date or a spreadsheet's serial number of a date (36,526 is 1 January 2000) is no offset in days, and would
# tell when a patient was seen.
MOST_DAYS = 36_524

WHO = (
    Field(
        name="age",
        label="Age",
        group="clinical",
        kind=Kind.INTEGER,
        unit="years",
        minimum=0,
        clamp=85,
        search=Search.NUMBER,
        facet=Histogram(interval=5, minimum=0, maximum=85),
        public=False,
        approximation=Approximation(name="age_approx", label="Approximate age", step=5),
        synonyms=("age_years", "patient_age", "age_approx", "age_approximate"),
        description="Age of the patient when the image was taken. 85 and above is stored as 85 and may be "
        "written 85+. Shown to the public in steps of five years only.",
    ),
    Field(
        name="sex",
        label="Sex",
        group="clinical",
        kind=Kind.ENUM,
        vocabulary=Vocabulary("sex", ("male", "female")),
        lower_case=True,
        search=Search.KEYWORD,
        facet=Terms(),
        synonyms=("gender", "patient_sex"),
        description="Sex of the patient.",
    ),
    Field(
        name="fitzpatrick_skin_type",
        label="Fitzpatrick skin type",
        group="clinical",
        kind=Kind.ENUM,
        vocabulary=Vocabulary("fitzpatrick_skin_type", ("I", "II", "III", "IV", "V", "VI")),
        search=Search.KEYWORD,
        facet=Terms(),
        synonyms=("fitzpatrick", "skin_type"),
        description="How the patient's skin reacts to sun, in Roman numerals.",
    ),
    Field(
        name="personal_hx_mm",
        label="Personal history of melanoma",
        group="clinical",
        kind=Kind.BOOL,
        search=Search.BOOL,
        facet=Terms(),
        description="Whether the patient has had a melanoma before.",
    ),
    Field(
        name="family_hx_mm",
        label="Family history of melanoma",
        group="clinical",
        kind=Kind.BOOL,
        search=Search.BOOL,
        facet=Terms(),
        description="Whether a relative in the first degree has had a melanoma.",
    ),
)

WHERE = (
    Field(
        name="anatom_site",
        label="Anatomic site",
        group="clinical",
        kind=Kind.HIERARCHY,
        vocabulary=ANATOM_SITE,
        search=Search.HIERARCHY,
        facet=Terms(size=100),
        synonyms=("anatomic_site", "anatomical_site", "body_site"),
        description="Where on the body the lesion is: a term (Scalp) or its path (Head and neck:Head:Scalp).",
    ),
    Field(
        name="anatom_site_special",
        label="Special anatomic site",
        group="clinical",
        kind=Kind.ENUM,
        vocabulary=Vocabulary(
            "anatom_site_special",
            ("acral NOS", "nail NOS", "fingernail", "toenail", "acral palms or soles", "oral or genital"),
        ),
        search=Search.KEYWORD,
        facet=Terms(),
        description="A site whose skin is special, beside the anatomic site.",
    ),
)

WHAT = (
    Field(
        name="diagnosis",
        label="Diagnosis",
        group="clinical",
        kind=Kind.HIERARCHY,
        vocabulary=DIAGNOSIS,
        search=Search.HIERARCHY,
        facet=Terms(size=100),
        synonyms=("dx", "diagnose"),
        description="What the lesion is: a term (Nevus) or its path (Benign:Benign melanocytic proliferations:Nevus).",
    ),
    Field(
        name="diagnosis_confirm_type",
        label="Diagnosis confirmed by",
        group="clinical",
        kind=Kind.ENUM,
        vocabulary=Vocabulary(
            "diagnosis_confirm_type",
            (
                "histopathology",
                "serial imaging showing no change",
                "single image expert consensus",
                "confocal microscopy with consensus dermoscopy",
                "single contributor clinical assessment",
            ),
        ),
        lower_case=True,
        search=Search.KEYWORD,
        facet=Terms(),
        synonyms=("dx_type",),
        description="How the diagnosis was established.",
    ),
    Field(
        name="melanocytic",
        label="Melanocytic",
        group="clinical",
        kind=Kind.BOOL,
        search=Search.BOOL,
        facet=Terms(),
        description="Whether the lesion is made of melanocytes.",
    ),
    Field(
        name="concomitant_biopsy",
        label="Concomitant biopsy",
        group="clinical",
        kind=Kind.BOOL,
        search=Search.BOOL,
        facet=Terms(),
        description="Whether the lesion was biopsied at the time of the image. Needs histopathology.",
    ),
    Field(
        name="clin_size_long_diam_mm",
        label="Clinical size, longest diameter",
        group="clinical",
        kind=Kind.DECIMAL,
        unit="mm",
        units={"um": 1e-3, "mm": 1.0, "cm": 1e1},
        unit_places=1,
        minimum=0,
        maximum=999.99,
        places=2,
        lower_case=True,
        search=Search.NUMBER,
        facet=Histogram(interval=10, minimum=0, maximum=100),
        synonyms=("clin_size", "diameter_mm"),
        description="Longest diameter of the lesion. May carry um, mm or cm, and is then rounded to 0.1 mm.",
    ),
)

MELANOMA_FIELDS = (
    Field(
        name="mel_mitotic_index",
        label="Melanoma mitotic index",
        group="clinical",
        kind=Kind.ENUM,
        vocabulary=Vocabulary(
            "mel_mitotic_index",
            ("0/mm^2", "<1/mm^2", "1/mm^2", "2/mm^2", "3/mm^2", "4/mm^2", ">4/mm^2"),
        ),
        lower_case=True,
        search=Search.KEYWORD,
        facet=Terms(),
        description="Mitoses per square millimetre of a melanoma.",
    ),
    Field(
        name="mel_thick_mm",
        label="Melanoma thickness",
        group="clinical",
        kind=Kind.DECIMAL,
        unit="mm",
        units={"mm": 1.0},
        minimum=0,
        maximum=999.99,
        places=2,
        lower_case=True,
        search=Search.NUMBER,
        facet=Ranges(edges=tuple(step / 2 for step in range(11))),
        synonyms=("breslow", "breslow_mm", "mel_thick"),
        description="Breslow thickness of a melanoma. May carry mm.",
    ),
    Field(
        name="mel_ulcer",
        label="Melanoma ulceration",
        group="clinical",
        kind=Kind.BOOL,
        search=Search.BOOL,
        facet=Terms(),
        description="Whether a melanoma is ulcerated.",
    ),
)

WHOSE = (
    Field(
        name="patient_id",
        label="Patient",
        group="clinical",
        kind=Kind.IDENTIFIER,
        search=Search.KEYWORD,
        facet=Terms(),
        public=False,
        synonyms=("patient", "subject_id"),
        description="The contributor's own id of the patient. Never shown: a public id replaces it.",
    ),
    Field(
        name="lesion_id",
        label="Lesion",
        group="clinical",
        kind=Kind.IDENTIFIER,
        search=Search.KEYWORD,
        facet=Terms(),
        public=False,
        synonyms=("lesion",),
        description="The contributor's own id of the lesion. Never shown: a public id replaces it. "
        "One lesion belongs to one patient.",
    ),
    Field(
        name="rcm_case_id",
        label="RCM case",
        group="clinical",
        kind=Kind.IDENTIFIER,
        search=Search.KEYWORD,
        facet=Terms(),
        public=False,
        description="The contributor's own id of a confocal microscopy case: one lesion, at most one "
        "macroscopic image. Never shown: a public id replaces it.",
    ),
    Field(
        name="acquisition_day",
        label="Acquisition day",
        group="clinical",
        kind=Kind.INTEGER,
        unit="days",
        minimum=-MOST_DAYS,
        maximum=MOST_DAYS,
        description="Days since the first image of the lesion; may be negative. Never a date.",
    ),
)

HOW = (
    Field(
        name="image_type",
        label="Image type",
        group="acquisition",
        kind=Kind.ENUM,
        vocabulary=Vocabulary(
            "image_type",
            ("dermoscopic", "clinical: overview", "clinical: close-up", *TBP_TYPES, *RCM_TYPES),
        ),
        search=Search.KEYWORD,
        search_aliases={"clinical": "clinical: close-up", "overview": "clinical: overview"},
        facet=Terms(),
        description="How the image was taken.",
    ),
    Field(
        name="dermoscopic_type",
        label="Dermoscopic type",
        group="acquisition",
        kind=Kind.ENUM,
        vocabulary=Vocabulary(
            "dermoscopic_type", ("contact polarized", "contact non-polarized", "non-contact polarized")
        ),
        search=Search.KEYWORD,
        facet=Terms(),
        description="Contact and light of a dermoscopic image.",
    ),
    Field(
        name="tbp_tile_type",
        label="TBP tile type",
        # Surprising beside its neighbours, but this is where the ISIC API shows it.
        group="clinical",
        kind=Kind.ENUM,
        vocabulary=Vocabulary("tbp_tile_type", ("3D: white", "3D: XP", "2D")),
        search=Search.KEYWORD,
        facet=Terms(),
        description="Kind of a tile cut from total body photography.",
    ),
    Field(
        name="image_manipulation",
        label="Image manipulation",
        group="acquisition",
        kind=Kind.ENUM,
        vocabulary=Vocabulary("image_manipulation", ("instrument only", "altered", "synthetic")),
        search=Search.KEYWORD,
        facet=Terms(),
        description="What was done to the image after it was taken.",
    ),
)

ROW_RULES = (
    Requires(
        fields=("mel_mitotic_index", "mel_thick_mm", "mel_ulcer"),
        needs="diagnosis",
        allowed=(MELANOMA, MALIGNANT_COLLISION),
        expected="a melanoma, or a collision with a malignant proliferation",
    ),
    Requires(fields=("rcm_case_id",), needs="image_type", allowed=RCM_TYPES, expected="one of the RCM types"),
    Requires(fields=("dermoscopic_type",), needs="image_type", allowed=("dermoscopic",), expected="'dermoscopic'"),
    Requires(fields=("tbp_tile_type",), needs="image_type", allowed=TBP_TYPES, expected="one of the TBP tile types"),
    Requires(
        fields=("concomitant_biopsy",),
        needs="diagnosis_confirm_type",
        allowed=("histopathology",),
        expected="'histopathology'",
        when_true=True,
    ),
)

BATCH_RULES = (
    BelongsToOne(
        code="one_lesion_multiple_patients",
        child="lesion_id",
        parent="patient_id",
        child_noun="Lesion",
        parent_noun="patient",
    ),
    AtMostOne(
        code="rcm_multiple_macroscopics",
        case="rcm_case_id",
        case_noun="RCM case",
        field="image_type",
        value="RCM: macroscopic",
    ),
    BelongsToOne(
        code="one_rcm_case_multiple_lesions",
        child="rcm_case_id",
        parent="lesion_id",
        child_noun="RCM case",
        parent_noun="lesion",
    ),
)

_FORMER = "A field of earlier versions; kept as unstructured."
FORMER_COLUMNS = {
    "anatom_site_general": f"{_FORMER} anatom_site takes its place, with terms of its own.",
    "marker_pen": _FORMER,
    "hairy": _FORMER,
    "blurry": _FORMER,
    "color_tint": _FORMER,
}

DERMATOLOGY = Pack(
    name="dermatology",
    version="6.1",
    title="Dermatology (ISIC)",
    fields=WHO + WHERE + WHAT + MELANOMA_FIELDS + WHOSE + HOW,
    row_rules=ROW_RULES,
    batch_rules=BATCH_RULES,
    former_columns=FORMER_COLUMNS,
    example={
        "age": "53",
        "sex": "female",
        "fitzpatrick_skin_type": "II",
        "personal_hx_mm": "false",
        "family_hx_mm": "true",
        "anatom_site": "Trunk:Posterior trunk:Upper back",
        "diagnosis": "Melanoma Invasive, Superficial spreading",
        "diagnosis_confirm_type": "histopathology",
        "melanocytic": "true",
        "concomitant_biopsy": "true",
        "clin_size_long_diam_mm": "7.5",
        "mel_mitotic_index": "<1/mm^2",
        "mel_thick_mm": "0.8",
        "mel_ulcer": "false",
        "patient_id": "patient-17",
        "lesion_id": "lesion-42",
        "acquisition_day": "0",
        "image_type": "dermoscopic",
        "dermoscopic_type": "contact polarized",
        "image_manipulation": "instrument only",
    },
)
