"""What the sandbox does with a case: read it, as `images.case_task` does, or make a copy of it without identity."""

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from medtheca.toolkit.confidentiality import file
from medtheca.toolkit.confidentiality.profile import Profile, Taken
from medtheca.toolkit.images import case_task, examine
from medtheca.toolkit.images.dicom.burned_in import needs_review_for_text
from medtheca.toolkit.images.dicom.headers import read_header
from medtheca.toolkit.images.files import Files
from medtheca.toolkit.images.formats import name_case
from medtheca.toolkit.images.readers.reading import DEFAULT_MEMORY

Progress = Callable[[float], None]
_HEAD = 4096


def run(
    folder: Path, outputs: Mapping[str, BinaryIO], options: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """As `images.case_task.run`; with the option `deidentify`, a copy without identity into the output `public`.

    `deidentify` has `profile` (the fields of `Profile` that are wanted), `key` (hex digits) and `patient` (or null), as
    `file.deidentify` takes them; the latter two matter for DICOM. Several files of DICOM become one ZIP of as many.
    JPEG and PNG are stripped; of all else, what the archive makes for everybody is the copy: voxels as MetaImage,
    slides as a pyramid, without any header of theirs. The report is that of `reports.find_fault`.

    Raises:
        Refused: as `file.deidentify` and the readers; what is no picture is not copied.
    """
    wanted = options.get("deidentify")
    if wanted is None:
        return case_task.run(folder, outputs, options, progress)
    files = case_task.files_in(folder, str(options["main"]))
    found = name_case(bytes(files.view(files.main)[:_HEAD]), files.main)
    if found == "dicom":
        return _copy_dicom(files, outputs["public"], wanted, progress)
    if found is None:
        return _copy_photograph(files, outputs["public"])
    report = case_task.run(folder, outputs, options, progress)
    media_type = report["parts"]["public"]["media_type"]
    pixels = "values" if report["kind"] == "volume" else "copied" if report["geometry"].get("copied") else "coded"
    notes = ["Nothing of its header is in the copy but size and place in space, or the size of a pixel."]
    return _report(report["format"], media_type, pixels, notes=[*report["notes"], *notes]) | {
        "text_suspected": report["text_suspected"]
    }


def _copy_dicom(files: Files, output: BinaryIO, wanted: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    profile, key = Profile(**wanted["profile"]), bytes.fromhex(wanted["key"])
    actions: Counter[tuple[str, str, str]] = Counter()
    suspected = ""
    many = len(files.names) > 1
    archive = zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) if many else None
    for number, name in enumerate(files.names, start=1):
        data = files.view(name)
        made = file.deidentify(data, profile=profile, key=key, patient=wanted["patient"])
        suspected = suspected or needs_review_for_text(read_header(data, memory=DEFAULT_MEMORY)[0])[1]
        _count(actions, made.report)
        if archive is None:
            output.write(made.data)
        else:
            # No name of a file of theirs, and no time but the one that every ZIP begins with.
            archive.writestr(zipfile.ZipInfo(f"{number:06}.dcm"), made.data)
        progress(number / len(files.names))
    if archive is not None:
        archive.close()
    media_type = "application/zip" if many else "application/dicom"
    return _report("dicom", media_type, "copied") | {
        "files": len(files.names),
        "actions": [[*what, count] for what, count in sorted(actions.items())],
        "text_suspected": suspected,
    }


def _count(actions: Counter[tuple[str, str, str]], report: Iterable[Taken]) -> None:
    for taken in report:
        actions[taken.path, taken.keyword, taken.action] += taken.count


def _copy_photograph(files: Files, output: BinaryIO) -> dict[str, Any]:
    data = files.view(files.main)
    reader = examine.choose_reader(data)
    stripped = reader.read(data, memory=DEFAULT_MEMORY).public
    output.write(stripped.data)
    return _report(reader.format, reader.media_type, "copied") | {
        "removed": [[item.kind, item.bytes] for item in stripped.removed]
    }


def _report(format_name: str, media_type: str, pixels: str, *, notes: list[str] | None = None) -> dict[str, Any]:
    return {
        "format": format_name,
        "media_type": media_type,
        "pixels": pixels,
        "files": 1,
        "text_suspected": "",
        "notes": notes or [],
        "removed": [],
        "actions": [],
    }


def warm_up() -> None:
    """Load behind no fence whatever is loaded late."""
    case_task.warm_up()
    examine.warm_up()
    file.warm_up()
