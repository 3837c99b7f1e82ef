"""A clinic's delivery of 300 pictures with its spreadsheet: semicolons, decimal commas, and fifteen kinds of error."""

from dataclasses import dataclass

from medtheca.toolkit.synthetic.cohort import draw_lesion

NUMBER = 300
COLUMNS = (
    "filename",
    "age",
    "sex",
    "diagnosis",
    "clin_size_long_diam_mm",
    "acquisition_day",
    "melanocytic",
    "image_type",
    "dermoscopic_type",
    "mel_thick_mm",
    "patient_id",
    "lesion_id",
    "concomitant_biopsy",
    "diagnosis_confirm_type",
    "rcm_case_id",
    "ward",
)


@dataclass(frozen=True)
class Fault:
    """A wrong cell: its line (the header is line 1), its column, what is written, and how and where it is told."""

    line: int
    column: str
    wrong: str
    code: str
    told_at: str = ""


FAULTS = (
    Fault(10, "age", "old", "not_integer"),
    Fault(20, "age", "-3", "below_minimum"),
    Fault(30, "sex", "femal", "unknown_value"),
    Fault(40, "diagnosis", "Nevvus", "unknown_value"),
    Fault(50, "clin_size_long_diam_mm", "wide", "not_number"),
    Fault(60, "clin_size_long_diam_mm", "-0,5", "below_minimum"),
    Fault(70, "clin_size_long_diam_mm", "1,234", "too_many_decimals"),
    Fault(80, "acquisition_day", "20170301", "above_maximum"),
    Fault(90, "melanocytic", "maybe", "not_boolean"),
    Fault(100, "image_type", "clinical: overview", "incompatible_fields", "dermoscopic_type"),
    Fault(110, "mel_thick_mm", "0,5", "incompatible_fields"),
    Fault(120, "lesion_id", "L0000", "one_lesion_multiple_patients"),
    Fault(130, "concomitant_biopsy", "true", "incompatible_fields"),
    Fault(140, "rcm_case_id", "R1", "incompatible_fields"),
    Fault(150, "filename", "IMG_0000", "duplicate_filename"),
    Fault(160, "filename", "", "no_filename"),
)


def row(number: int) -> dict[str, str]:
    """What the clinic should have written of a picture."""
    return {
        "filename": f"IMG_{number:04}",
        # The last patient is so old that few share it.
        "age": "91" if number // 4 == (NUMBER - 1) // 4 else str(20 + number % 60),
        "sex": "female" if number % 2 else "male",
        "diagnosis": "Nevus" if number % 3 else "Seborrheic keratosis",
        "clin_size_long_diam_mm": f"{number % 9 + 1},5",
        "acquisition_day": str(number % 4 * 90),
        "melanocytic": "true" if number % 3 else "false",
        "image_type": "dermoscopic",
        "dermoscopic_type": "contact polarized",
        "mel_thick_mm": "",
        "patient_id": f"P{number // 4:04}",
        "lesion_id": f"L{number // 2:04}",
        "concomitant_biopsy": "",
        "diagnosis_confirm_type": "single image expert consensus",
        "rcm_case_id": "",
        "ward": f"W{number % 5}",
    }


def right(fault: Fault) -> str:
    """What should stand in a wrong cell."""
    return row(fault.line - 2)[fault.column]


def sheet(*, faulty: bool = True) -> bytes:
    """The spreadsheet as it comes: Windows-1252, semicolons, decimal commas, with every fault in it or with none."""
    rows = {number + 2: row(number) for number in range(NUMBER)}
    for fault in FAULTS if faulty else ():
        rows[fault.line][fault.column] = fault.wrong
    lines = [";".join(COLUMNS)] + [";".join(cells[name] for name in COLUMNS) for cells in rows.values()]
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def pictures(number: int = NUMBER) -> list[tuple[str, bytes]]:
    """(path, bytes) of every picture."""
    return [(f"visit {1 + n // 100}/IMG_{n:04}.jpg", draw_lesion(n, size=(240, 180)).jpeg) for n in range(number)]
