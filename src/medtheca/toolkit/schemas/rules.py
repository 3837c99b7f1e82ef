"""Rules between fields of a row, and between rows: data that packs are made of, and how each is checked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from medtheca.toolkit.schemas.problems import BatchProblem, Problem, quoted
from medtheca.toolkit.schemas.vocabulary import is_under

# Values by field name, with a hierarchy as its full path; the label says which row it is.
LabelledRow = tuple[str, Mapping[str, Any]]

EXAMPLES_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Requires:
    """Where one of `fields` is given, `needs` must be one of `allowed`, or a term below one in a hierarchy.

    "Given" counts `0` and `false` too, except with `when_true`.
    """

    fields: tuple[str, ...]
    needs: str
    allowed: tuple[str, ...]
    expected: str
    when_true: bool = False

    def check(self, values: Mapping[str, Any], *, unreadable: Collection[str]) -> Iterator[Problem]:
        """Yield a problem for each field that breaks the rule.

        A needed field whose own value could not be read is not reported again: nobody knows what was meant.
        """
        if self.needs in unreadable:
            return
        needed = values.get(self.needs)
        if needed is not None and any(is_under(needed, term) for term in self.allowed):
            return
        for name in self.fields:
            value = values.get(name)
            if value is None or (self.when_true and value is not True):
                continue
            yield self._problem(name, value, needed)

    def _problem(self, name: str, value: object, needed: str | None) -> Problem:
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if needed is None:
            code, message = "missing_field", f"{name} is given but {self.needs} is not."
        else:
            code, message = "incompatible_fields", f"{name} does not go with {self.needs} {quoted(needed)}."
        remedy = f"Set {self.needs} to {self.expected}, or leave {name} empty."
        return Problem(field=name, value=shown, code=code, message=message, remedy=remedy, related=(self.needs,))


@dataclass(frozen=True, kw_only=True)
class BelongsToOne:
    """All rows with one `child` must have the same `parent`, where they give one."""

    code: str
    child: str
    parent: str
    child_noun: str
    parent_noun: str

    def check(self, rows: Iterable[LabelledRow]) -> Iterator[BatchProblem]:
        owners: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for label, values in rows:
            child, parent = values.get(self.child), values.get(self.parent)
            if child and parent:
                owners[child][parent].append(label)
        for child, parents in owners.items():
            if len(parents) > 1:
                yield self._problem(child, parents)

    def _problem(self, child: str, parents: Mapping[str, list[str]]) -> BatchProblem:
        first = [f"{quoted(parent)} ({labels[0]})" for parent, labels in parents.items()]
        more = f" and {len(first) - EXAMPLES_SHOWN} more" if len(first) > EXAMPLES_SHOWN else ""
        return BatchProblem(
            field=self.child,
            value=child,
            code=self.code,
            message=f"{self.child_noun} {quoted(child)} belongs to {len(parents)} {self.parent_noun}s: "
            f"{', '.join(first[:EXAMPLES_SHOWN])}{more}.",
            remedy=f"Give all rows of one {self.child} the same {self.parent}.",
            rows=tuple(label for labels in parents.values() for label in labels),
        )


@dataclass(frozen=True, kw_only=True)
class AtMostOne:
    """Of the rows with one `case`, at most one may have `field` equal to `value`."""

    code: str
    case: str
    case_noun: str
    field: str
    value: str

    def check(self, rows: Iterable[LabelledRow]) -> Iterator[BatchProblem]:
        labels: dict[str, list[str]] = defaultdict(list)
        for label, values in rows:
            case = values.get(self.case)
            if case and values.get(self.field) == self.value:
                labels[case].append(label)
        for case, where in labels.items():
            if len(where) > 1:
                yield self._problem(case, where)

    def _problem(self, case: str, where: list[str]) -> BatchProblem:
        more = f" and {len(where) - EXAMPLES_SHOWN} more" if len(where) > EXAMPLES_SHOWN else ""
        return BatchProblem(
            field=self.case,
            value=case,
            code=self.code,
            message=f"{self.case_noun} {quoted(case)} has {len(where)} images with {self.field} "
            f"{quoted(self.value)}: {', '.join(where[:EXAMPLES_SHOWN])}{more}.",
            remedy=f"Keep one image with {self.field} {quoted(self.value)} in each {self.case}.",
            rows=tuple(where),
        )


BatchRule = BelongsToOne | AtMostOne
