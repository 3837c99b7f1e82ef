"""The report of `medtheca inspect` for a terminal. Needs neither Django nor a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TOLD = 20
_MOST_IMAGES = 50
_KINDS = {"picture": "picture", "volume": "volume", "slide": "slide", "document": "document, kept as it is"}
_LPS = ("left", "posterior", "superior", "right", "anterior", "inferior")
_STRAIGHT = 0.9999
_BY = "\N{MULTIPLICATION SIGN}"


def in_words(report: dict[str, Any]) -> str:
    """The report for a terminal: counts, what is refused, what would be taken out, then the spreadsheet."""
    words = {
        "accepted": "would be accepted",
        "linked": "linked to an equal file",
        "duplicate": "duplicate names",
        "skipped": "skipped as junk",
        "refused": "refused",
    }
    counts = [f"{report['counts'][key]:,} {text}" for key, text in words.items() if key in report["counts"]]
    lines = [f"Files: {', '.join(counts) or 'none'}."]
    lines += [f"  {item['container']}: {item['message']} {item['remedy']}".rstrip() for item in report["refused"]]
    told = _refusals(report)
    lines += told[:_TOLD] + _more(len(told) - _TOLD)
    lines += _kinds("The EXIF tells", report, "exif") + _kinds("Taken out of public copies", report, "removed")
    alike = [file for file in report["files"] if file["alike"]]
    if alike:
        lines.append(f"Look nearly like another: {len(alike):,} pictures.")
        lines += [f"  {file['path']}: {', '.join(file['alike'])}" for file in alike[:_TOLD]] + _more(len(alike) - _TOLD)
    if report["metadata"] is not None:
        lines += _sheet_lines(report["metadata"])
    blocks = (
        [image for image in report["images"] if _has_more(image)] if len(report["images"]) > 1 else report["images"]
    )
    for image in blocks[:_MOST_IMAGES]:
        lines += ["", *_block(image)]
    lines += _more(len(blocks) - _MOST_IMAGES)
    if len(report["images"]) > len(blocks):
        lines += ["", _photographs([image for image in report["images"] if not _has_more(image)])]
    return "\n".join(lines)


def _kinds(title: str, report: dict[str, Any], key: str) -> list[str]:
    counts: dict[str, int] = {}
    for file in report["files"]:
        for kind in file[key]:
            counts[kind] = counts.get(kind, 0) + 1
    if not counts:
        return []
    return [f"{title}: {', '.join(f'{kind} ({number:,})' for kind, number in sorted(counts.items()))}."]


def _sheet_lines(sheet: dict[str, Any]) -> list[str]:
    number = sheet["problem_count"]
    lines = [f"Spreadsheet {sheet['name']}: {sheet['rows']:,} rows, {number:,} problem{'' if number == 1 else 's'}."]
    for column in sheet["columns"]:
        if column["suggested"]:
            lines.append(
                f"  Column {column['column']}: did you mean '{column['suggested']}'? As it is, it is kept apart."
            )
        elif column["use"] == "unstructured":
            lines.append(f"  Column {column['column']}: no known field; kept as it is. {column['remark']}".rstrip())
        elif column["use"] == "ignore":
            lines.append(f"  Column {column['column']}: left out. {column['remark']}".rstrip())
        elif column["how"] == "synonym":
            lines.append(f"  Column {column['column']}: read as {column['name']}.")
    lines += [
        f"  {group['count']:,} in {group['column'] or 'the file'}: {group['message']} {group['remedy']}"
        f" (lines {', '.join(map(str, group['lines'][:10]))}{' …' if group['count'] > 10 else ''})"
        for group in sheet["problems"][:_TOLD]
    ]
    lines += _more(len(sheet["problems"]) - _TOLD)
    lines += [f"  {note}" for note in sheet["notes"]]
    for key, title in (("rows_without_file", "Rows without a file"), ("files_without_row", "Files without a row")):
        if count := sheet[f"{key}_count"]:
            lines.append(f"  {title}: {count:,} ({', '.join(sheet[key][:5])}{' …' if count > 5 else ''})")
    return lines


def _more(number: int) -> list[str]:
    return [f"  … and {number:,} more; --json lists them all."] if number > 0 else []


def _refusals(report: dict[str, Any]) -> list[str]:
    """A line for each reason: the files of a series that are refused together are told once."""
    alike: dict[tuple[str, str], list[str]] = {}
    for file in report["files"]:
        if file["outcome"] in {"refused", "duplicate"}:
            alike.setdefault((file["message"], file["remedy"]), []).append(file["path"])
    return [
        f"  {paths[0]}{f' and {len(paths) - 1:,} more' if len(paths) > 1 else ''}: {message} {remedy}".rstrip()
        for (message, remedy), paths in alike.items()
    ]


def _has_more(image: dict[str, Any]) -> bool:
    """Whether there is more to say of an image than its size."""
    return bool(image["kind"] != "picture" or image["notes"] or image["text_suspected"])


def _photographs(images: list[dict[str, Any]]) -> str:
    """Photographs are many and alike: one line for all."""
    largest = max(images, key=lambda image: image["size"][0] * image["size"][1])
    return f"Pictures: {len(images):,}, at most {_size(largest)}. --json lists them all."


def _block(image: dict[str, Any]) -> list[str]:
    """One image: its name, then what is known of it, a line each."""
    rows = [(title, words) for title, words in _rows(image) if words]
    width = max((len(title) for title, _ in rows), default=0)
    return [image["name"], *(f"  {title:<{width}}  {words}" for title, words in rows)]


def _rows(image: dict[str, Any]) -> Iterator[tuple[str, str]]:
    facts = image["facts"]
    files = image["files"]
    yield "files", files[0] if len(files) == 1 else f"{len(files):,}, from {files[0]} to {files[-1]}"
    yield "kind", f"{_KINDS.get(image['kind'], image['kind'])} ({image['format']})"
    yield "is", image["title"]
    if image["kind"] != "document":
        yield "size", _size(image)
        yield "values", _values(image)
        yield "spacing", _spacing(image)
    yield "origin", _millimetres(image["origin"]) if image["origin"] else ""
    yield "axes", _axes(image["direction"]) if image["direction"] and image["origin"] else ""
    yield "windows", ", ".join(_window(window) for window in image["windows"][:4])
    yield "levels", ", ".join(f"{width:,} {_BY} {height:,}" for width, height in image["levels"])
    yield "modality", facts.get("modality", "")
    yield "body part", _meaning(facts.get("body_part"))
    yield "laterality", facts.get("laterality", "")
    yield "stain", _meaning(facts.get("stain"))
    yield "objective", f"{facts['magnification']:g}{_BY}" if facts.get("magnification") else ""
    yield "device", _device(facts)
    yield "device as stated", "; ".join(map(str, facts.get("stated", ())))
    yield "to review", image["text_suspected"]
    for note in image["notes"]:
        yield "note", note


def _device(facts: dict[str, Any]) -> str:
    maker, model = str(facts.get("manufacturer", "")), str(facts.get("model", ""))
    # Many models are called by their maker's name.
    return model if model.startswith(maker) else f"{maker} {model}".strip()


def _size(image: dict[str, Any]) -> str:
    x, y, z = image["size"]
    words = f"{x:,} {_BY} {y:,}" + (f" {_BY} {z:,}" if z > 1 or image["kind"] == "volume" else "")
    if image["timepoints"] > 1:
        step = f", {image['time_step']:g} s apart" if image["time_step"] else ""
        words += f", {image['timepoints']:,} time points{step}"
    return words


def _values(image: dict[str, Any]) -> str:
    channels = image["channels"]
    return f"{image['value_type']}, " + (
        "grey" if channels == 1 else f"{channels:,} channels ({image['colour_space']})"
    )


def _spacing(image: dict[str, Any]) -> str:
    spacing = image["spacing"]
    if not spacing:
        return "not said by the file" if image["kind"] != "picture" else ""
    if image["kind"] == "slide":
        return ", ".join(f"{axis} {1000 * length:.4g} µm" for axis, length in spacing.items() if length)
    return ", ".join(f"{axis} {length:.6g} mm" for axis, length in spacing.items() if length)


def _millimetres(place: list[float]) -> str:
    return ", ".join(f"{axis} {number:.6g}" for axis, number in zip("xyz", place, strict=True)) + " mm (LPS)"


def _axes(direction: list[float]) -> str:
    """Where columns, rows and slices grow to, by the names of the patient's sides."""
    words = []
    for place, axis in enumerate("xyz"):
        column = [direction[3 * row + place] for row in range(3)]
        most = max(range(3), key=lambda row: abs(column[row]))
        side = _LPS[most] if column[most] > 0 else _LPS[most + 3]
        words.append(f"{axis} to the {side}{'' if abs(column[most]) > _STRAIGHT else ' (oblique)'}")
    return ", ".join(words)


def _window(window: dict[str, Any]) -> str:
    name = f" ({window['name']})" if window["name"] else ""
    return f"{window['centre']:g} ± {window['width'] / 2:g}{name}"


def _meaning(codes: dict[str, str] | list[dict[str, str]] | None) -> str:
    """One code or several, in words."""
    each = [codes] if isinstance(codes, dict) else codes or []
    return ", ".join(code["meaning"] for code in each)
