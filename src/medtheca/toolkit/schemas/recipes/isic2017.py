"""The spreadsheets of the ISIC 2017 challenge, "Skin Lesion Analysis Towards Melanoma Detection", part 3."""

from medtheca.toolkit.schemas.recipe import Recipe

MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma, NOS"
# The challenge's lesions are melanomas, nevi and seborrheic keratoses. Not a melanoma is one of the two latter,
# which are both under "Benign", and nothing narrower is true of both.
NOT_MELANOMA = "Benign"

ISIC_2017 = Recipe(
    name="isic2017",
    title="ISIC 2017 challenge",
    description="image_id names the image; age_approximate is in steps of five years already and is taken for the "
    "age; melanoma 1.0 is 'Melanoma, NOS' and 0.0 is 'Benign' without more (the other lesions are nevi and "
    "seborrheic keratoses). The challenge's own melanoma cell is kept beside it as unstructured. All images are "
    "dermoscopic.",
    source="https://challenge.isic-archive.com/data/#2017",
    pack="dermatology",
    columns={
        "image_id": "filename",
        "age_approximate": "age",
        "sex": "sex",
        "melanoma": "diagnosis",
    },
    values={"melanoma": {"0.0": NOT_MELANOMA, "0": NOT_MELANOMA, "1.0": MELANOMA, "1": MELANOMA}},
    absent_words=frozenset({"unknown", "n/a", "na", "nan", "-"}),
    keep=frozenset({"melanoma"}),
    constants={"image_type": "dermoscopic"},
)
