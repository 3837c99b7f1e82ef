"""The ISIC Archive's table of challenges, and images that fill it.

Each cohort is one contributor's; a collection is made of whole cohorts and of parts of them, in the order of the
images' names. The numbers of images and the contributors are the table's. How the sets overlap and which contributor
has how many is of this fixture: those of 2016 and 2018's segmentation are drawn out of 2017's images, that of 2019 has
2018's of Vienna whole, and that of 2020 shares nothing.
"""

from dataclasses import dataclass

BARCELONA = "Hospital Clinic de Barcelona"
VIENNA = "Medical University of Vienna"
MELANOMA_INSTITUTE = "Melanoma Institute Australia"
MSKCC = "Memorial Sloan Kettering Cancer Center"
SYDNEY = "Sydney Melanoma Diagnostic Center"
QUEENSLAND = "University of Queensland"

TABLE = {
    "Challenge 2016: Test": (379, [MSKCC]),
    "Challenge 2016: Training": (900, [MSKCC]),
    "Challenge 2017: Test": (600, [MSKCC]),
    "Challenge 2017: Training": (2000, [MSKCC]),
    "Challenge 2017: Validation": (150, [MSKCC]),
    "Challenge 2018: Task 1-2: Training": (2594, [MSKCC]),
    "Challenge 2018: Task 3: Training": (10015, [VIENNA]),
    "Challenge 2019: Training": (25331, [BARCELONA, VIENNA, MSKCC]),
    "Challenge 2020: Training": (33126, [BARCELONA, VIENNA, MELANOMA_INSTITUTE, MSKCC, SYDNEY, QUEENSLAND]),
}
"""As the ISIC Archive prints it."""
MEMBERSHIPS = 75_095
DISTINCT = 58_613


@dataclass(frozen=True)
class Cohort:
    """So many images of one contributor."""

    name: str
    contributor: str
    number: int


@dataclass(frozen=True)
class Part:
    """Images of a cohort from `start` on, before `stop`, in the order of their names."""

    cohort: Cohort
    start: int
    stop: int


def _all(*cohorts):
    return [Part(cohort, 0, cohort.number) for cohort in cohorts]


# The demo has these three, by these names.
_TRAINING = Cohort("ISIC 2017 challenge: training", MSKCC, 2000)
_VALIDATION = Cohort("ISIC 2017 challenge: validation", MSKCC, 150)
_TEST = Cohort("ISIC 2017 challenge: test", MSKCC, 600)
DEMO = (_TRAINING, _VALIDATION, _TEST)
_MORE = Cohort("Challenges: New York 2019", MSKCC, 309)
_TEN_THOUSAND = Cohort("Challenges: Vienna 2018", VIENNA, 10015)
_BARCELONA = Cohort("Challenges: Barcelona 2019", BARCELONA, 12413)
_LATEST = (
    Cohort("Challenges: Barcelona 2020", BARCELONA, 7311),
    Cohort("Challenges: Vienna 2020", VIENNA, 4374),
    Cohort("Challenges: Melanoma Institute 2020", MELANOMA_INSTITUTE, 942),
    Cohort("Challenges: New York 2020", MSKCC, 11108),
    Cohort("Challenges: Sydney 2020", SYDNEY, 942),
    Cohort("Challenges: Queensland 2020", QUEENSLAND, 8449),
)
COHORTS = (*DEMO, _MORE, _TEN_THOUSAND, _BARCELONA, *_LATEST)
_SEGMENTED = [*_all(_TRAINING, _VALIDATION), Part(_TEST, 0, 444)]
COLLECTIONS = {
    "Challenge 2016: Test": [Part(_TRAINING, 900, 1000), Part(_TEST, 0, 279)],
    "Challenge 2016: Training": [Part(_TRAINING, 0, 900)],
    "Challenge 2017: Test": _all(_TEST),
    "Challenge 2017: Training": _all(_TRAINING),
    "Challenge 2017: Validation": _all(_VALIDATION),
    "Challenge 2018: Task 1-2: Training": _SEGMENTED,
    "Challenge 2018: Task 3: Training": _all(_TEN_THOUSAND),
    "Challenge 2019: Training": [*_SEGMENTED, *_all(_MORE, _TEN_THOUSAND, _BARCELONA)],
    "Challenge 2020: Training": _all(*_LATEST),
}


def scaled(number, scale):
    """A number of images where only one of so many is there; no number but 0 becomes 0."""
    return -(-number // scale)


def places(part, scale):
    """The places of a part's images in their cohort."""
    return range(scaled(part.start, scale), scaled(part.stop, scale))


def expected(scale):
    """What the archive is to show: (images, contributors by the alphabet) by collection, memberships and images."""
    held = {
        name: {(part.cohort.name, place) for part in parts for place in places(part, scale)}
        for name, parts in COLLECTIONS.items()
    }
    table = {name: (len(images), sorted(TABLE[name][1])) for name, images in held.items()}
    return table, sum(map(len, held.values())), len(set().union(*held.values()))
