"""Whether a picture may carry text in its pixels, by what its header says of how it was made."""

from medtheca.toolkit.images.dicom.codes import STORAGE
from medtheca.toolkit.images.dicom.headers import Header

_MODALITIES = {
    "US": "ultrasound devices write names into the picture",
    "IVUS": "ultrasound devices write names into the picture",
    "SC": "it is a secondary capture",
    "XA": "angiography devices write names into the picture",
    "RF": "fluoroscopy devices write names into the picture",
    "ES": "endoscopes write names into the picture",
    "OT": "its modality is “other”",
    "XC": "it is a photograph",
    "HC": "it is a scanned print",
    "DOC": "it is a document",
    "BMD": "reports of bone density are pictures with names in them",
    **dict.fromkeys(("CD", "DD", "EC"), "ultrasound devices write names into the picture"),
    **dict.fromkeys(("DS", "CF", "DF"), "angiography devices write names into the picture"),
}
# Words in the type of an image by which scanners mark pages of text among their slices.
_PAGES = ("SCREEN SAVE", "DOSE", "REPORT", "PROT")
# SOP classes by the ends of their UIDs; each stands for those that begin with it too.
_CLASSES = {
    "3": "US",
    "3.1": "US",
    "6": "US",
    "7": "SC",
    "12.1": "XA",
    "12.2": "RF",
    "77.1.1": "ES",
    "77.1.4": "XC",
}


def needs_review_for_text(header: Header) -> tuple[bool, str]:
    """Whether a person must look at the pixels before anybody else may, and why, in words (empty if not)."""
    burned = (header.text("BurnedInAnnotation") or "").upper()
    if burned == "YES":
        return True, "Its header says that text is burned into its pixels (BurnedInAnnotation)."
    reason = _MODALITIES.get((header.text("Modality") or "").upper())
    end = header.sop_class.removeprefix(STORAGE) if header.sop_class.startswith(STORAGE) else ""
    while end and reason is None:
        reason = _MODALITIES.get(_CLASSES.get(end, ""))
        end = end.rpartition(".")[0]
    if reason is None and "ConversionType" in header:
        reason = _MODALITIES["SC"]
    if reason is None and any(word in kind for kind in header.texts("ImageType")[2:] for word in _PAGES):
        reason = "it is a copy of a screen or a page of text"
    if reason is None:
        return False, ""
    said = " Its header denies it, which devices do wrongly." if burned == "NO" else ""
    return True, f"Text may be burned into its pixels: {reason}.{said}"
