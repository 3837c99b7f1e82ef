"""What became of files that were de-identified, as plain JSON, as rows for a CSV, and as lines for people."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from medtheca.toolkit.confidentiality.batch import Copied, Outcome, Wanted
from medtheca.toolkit.confidentiality.profile import EDITION, Profile
from medtheca.toolkit.confidentiality.reports import PIXELS

CSV_HEADER = (
    "source", "target", "outcome", "code", "words", "remedy", "format", "pixels", "text_suspected", "what", "keyword",
    "action", "count",
)  # fmt: skip
_UNKNOWN = "not in the dictionary"


def report_of(copies: Sequence[Copied], wanted: Wanted, *, keyed: bool) -> dict[str, Any]:
    """Everything done, as JSON can hold it. It has the names of the files that were read, and no values of theirs.

    `keyed`: whether the key was given, so that another run gives the same UIDs and days.
    """
    profile = Profile(**dict.fromkeys(wanted.profile, True))
    return {
        "clean": all(copy.outcome is Outcome.WRITTEN for copy in copies),
        "edition": EDITION,
        "method": [{"value": value, "scheme": "DCM", "meaning": meaning} for value, meaning in profile.codes],
        "options": sorted(wanted.profile),
        "repeatable": keyed,
        "counts": dict(Counter(str(copy.outcome) for copy in copies)),
        "images": [_image(copy) for copy in copies],
    }


def _image(copy: Copied) -> dict[str, Any]:
    report = dict(copy.report)
    actions = [dict(zip(("path", "keyword", "action", "count"), row, strict=True)) for row in report.get("actions", [])]
    removed = [dict(zip(("kind", "bytes"), row, strict=True)) for row in report.get("removed", [])]
    return {
        "sources": list(copy.names),
        "target": copy.target,
        "outcome": str(copy.outcome),
        "problem": asdict(copy.problem) if copy.problem else None,
        **report,
        "actions": actions,
        "removed": removed,
    }


def csv_rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """The header, then one row for each action on each image; one for an image on which there was none."""
    yield CSV_HEADER
    for image in report["images"]:
        problem = image["problem"] or {"code": "", "message": "", "remedy": ""}
        start = (
            "; ".join(image["sources"]),
            image["target"],
            image["outcome"],
            *(problem[name] for name in ("code", "message", "remedy")),
            *(image.get(name, "") for name in ("format", "pixels", "text_suspected")),
        )
        rows = [(row["path"], row["keyword"], row["action"], row["count"]) for row in image["actions"]]
        rows += [(row["kind"], "", "X", row["bytes"]) for row in image["removed"]]
        for row in rows or [("", "", "", "")]:
            yield (*start, *row)


def in_words(report: Mapping[str, Any]) -> str:
    """For people: how many, what was refused and why, what a person still has to look at."""
    counts = report["counts"]
    names = {"written": "written", "refused": "refused", "exists": "not written, as something is there already"}
    lines = [", ".join(f"{counts[name]:,} {words}" for name, words in names.items() if counts.get(name)) + "."]
    for image in report["images"]:
        if image["problem"]:
            problem = image["problem"]
            lines.append(f"{_name(image)}: {problem['message']} {problem['remedy']}".strip())
    written = [image for image in report["images"] if image["outcome"] == Outcome.WRITTEN]
    lines += [
        f"{_name(image)}: look at its copy before you pass it on. {image['text_suspected']}"
        for image in written
        if image["text_suspected"]
    ]
    counted = Counter(image["pixels"] for image in written)
    lines += [f"Pixels of {count:,}: {PIXELS[kind]}." for kind, count in counted.items()]
    unknown = sum(row["count"] for image in written for row in image["actions"] if _UNKNOWN in row["action"])
    if unknown:
        lines.append(f"Attributes that the dictionary does not know were removed: {unknown:,}.")
    if not report["repeatable"] and any(image.get("format") == "dicom" for image in written):
        lines.append("The key is gone: another run gives other UIDs and days. Name a --key-file to repeat them.")
    return "\n".join(lines)


def _name(image: Mapping[str, Any]) -> str:
    first, *others = image["sources"]
    # A name must not command the terminal.
    shown = "".join(sign if sign.isprintable() else " " for sign in first)
    return f"{shown} and {len(others)} more files" if others else shown
