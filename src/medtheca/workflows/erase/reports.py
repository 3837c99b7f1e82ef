"""What checking said of a patient's rows, taken out of every spreadsheet of the contributor: readable ones or not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from medtheca.domains.metadata.models import MetadataFile
from medtheca.toolkit.schemas.grouping import shape_of
from medtheca.workflows.erase.marks import GONE
from medtheca.workflows.erase.plans import Plan

_SURE = 4
"""Shorter words are taken out where they stand by themselves, and left inside of sentences."""


def scrub_reports(plan: Plan) -> None:
    """Take the patient's rows, names and private ids out of reports and matches."""
    files = MetadataFile.objects.filter(cohort__contributor=plan.contributor).order_by("pk")
    for file in files.iterator():
        scrubber = _Scrubber(plan, file)
        report, matches = scrubber.report(), scrubber.matches()
        if (report, matches) != (file.report, file.matches):
            MetadataFile.objects.filter(pk=file.pk).update(report=report, matches=matches)


def stands_in(value: Any, words: Collection[str]) -> bool:
    """Whether one of the words stands by itself anywhere in a JSON value, also as a name."""
    if isinstance(value, str):
        return value.strip() in words
    if isinstance(value, dict):
        return any(stands_in(key, words) or stands_in(item, words) for key, item in value.items())
    return isinstance(value, list) and any(stands_in(item, words) for item in value)


def words_of(plan: Plan) -> set[str]:
    """The private ids and file names of a patient."""
    return {*plan.names, plan.private_id, *plan.lesion_private_ids} - {""}


@dataclass
class _Scrubber:
    """The report and matches of one file without the patient."""

    plan: Plan
    file: MetadataFile

    def __post_init__(self) -> None:
        cut = self.plan.sheets.get(str(self.file.pk))
        self._lines = set(cut or ())
        self._words = words_of(self.plan)
        if cut is not None:
            # What only the patient's rows said.
            self._words |= set(self.plan.values)
        chosen = self.file.matches if isinstance(self.file.matches, dict) else {}
        mine = set(self.plan.accessions)
        self._words |= {name for name, pk in chosen.items() if pk in mine}

    def matches(self) -> dict[str, Any]:
        """Names and what they mean, but for the patient's."""
        mine = set(self.plan.accessions)
        return {
            name: pk for name, pk in self.file.matches.items() if pk not in mine and name.strip() not in self._words
        }

    def report(self) -> dict[str, Any]:
        """The report, its counts as they were."""
        report = dict(self.file.report)
        rows = report.get("unmatched_rows", [])
        self._words |= {row["name"] for row in rows if row.get("line") in self._lines}
        if rows:
            report["unmatched_rows"] = [
                {**row, "candidates": self._strangers(row.get("candidates", []))} for row in rows if self._stays(row)
            ]
        for name in ("unmatched", "problems"):
            if name in report:
                report[name] = [item for item in report[name] if self._stays(item)]
        if "groups" in report:
            report["groups"] = [self._group(group) for group in report["groups"]]
        found: dict[str, Any] = _changed(report, self._without)
        return found

    def _strangers(self, candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in candidates if item.get("accession") not in self.plan.accessions]

    def _stays(self, item: Any) -> bool:
        """Whether a name, a problem or a row is not the patient's."""
        if isinstance(item, str):
            return item.strip() not in self._words
        names = {str(item.get(name, "")).strip() for name in ("name", "file")}
        return item.get("line") not in self._lines and not names & self._words

    def _group(self, group: dict[str, Any]) -> dict[str, Any]:
        example = group.get("example", {})
        kept = dict(group)
        if example and not self._stays(example):
            # Its message quotes the row that it was first found in.
            kept["message"], kept["remedy"] = shape_of(group.get("message", "")), ""
            kept["example"] = {"line": example.get("line"), "file": GONE, "value": GONE}
        kept["values"] = [value for value in group.get("values", []) if not self._is_theirs(value)]
        return kept

    def _is_theirs(self, value: dict[str, Any]) -> bool:
        lines = set(value.get("lines", []))
        return bool(lines) and lines <= self._lines

    def _without(self, text: str) -> str:
        if text.strip() in self._words:
            return GONE
        for word in sorted(self._words, key=len, reverse=True):
            if len(word) >= _SURE and word in text:
                text = text.replace(word, GONE)
        return text


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with its texts changed, but for the names in it: those are ours, or names of columns."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _changed(item, change) for name, item in value.items()}
    return value
