"""Which column of somebody's spreadsheet is which field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from medtheca.toolkit.schemas.registry import Pack
from medtheca.toolkit.schemas.table import FILENAME_COLUMNS, normalise_column
from medtheca.toolkit.suggest import close_matches

FILENAME = "filename"
# Closer than for values: a column mapped wrongly is worse than one not mapped.
CUTOFF = 0.75


class How(StrEnum):
    EXACT = "exact"
    SYNONYM = "synonym"
    DID_YOU_MEAN = "did-you-mean"
    UNSTRUCTURED = "unstructured"


@dataclass(frozen=True)
class Proposal:
    """What a column could be. `field` is None for unstructured; a did-you-mean is a question, not an answer."""

    column: str
    field: str | None
    how: How
    remark: str = ""


_ORDER = {How.EXACT: 0, How.SYNONYM: 1, How.DID_YOU_MEAN: 2, How.UNSTRUCTURED: 3}


def propose_mapping(columns: Iterable[str], *, pack: Pack) -> list[Proposal]:
    """One proposal a column, in the order given. No field is proposed twice: the surer column gets it.

    >>> from medtheca.toolkit.schemas.packs.dermatology import DERMATOLOGY
    >>> for proposal in propose_mapping(["Image_ID", "age_approximate", "diagnosys", "hairy"], pack=DERMATOLOGY):
    ...     print(proposal.column, "→", proposal.field, f"({proposal.how})")
    Image_ID → filename (synonym)
    age_approximate → age (synonym)
    diagnosys → diagnosis (did-you-mean)
    hairy → None (unstructured)
    """
    names = _known_names(pack)
    proposals = [_propose(column, names, pack) for column in columns]
    taken: dict[str, str] = {}
    for index in sorted(range(len(proposals)), key=lambda place: (_ORDER[proposals[place].how], place)):
        proposal = proposals[index]
        if proposal.field is None:
            continue
        owner = taken.setdefault(proposal.field, proposal.column)
        if owner != proposal.column:
            remark = f"'{proposal.field}' is taken from '{owner}' already."
            proposals[index] = replace(proposal, field=None, how=How.UNSTRUCTURED, remark=remark)
    return proposals


def rename_columns(cells: Mapping[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Cells under their fields' names, by a mapping column → field; columns that are not in it keep theirs.

    A column that already has the name of a mapped field would be overwritten: that is a ValueError.

    >>> rename_columns({"gender": "male", "hairy": "1"}, {"gender": "sex"})
    {'sex': 'male', 'hairy': '1'}
    """
    renamed: dict[str, str] = {}
    for column, cell in cells.items():
        name = mapping.get(column, column)
        if name in renamed:
            raise ValueError(f"Two columns are mapped to '{name}'.")
        renamed[name] = cell
    return renamed


def _known_names(pack: Pack) -> dict[str, str]:
    """Every accepted spelling, normalised, with its field."""
    names = {normalise_column(synonym): item.name for item in pack.fields for synonym in item.synonyms}
    names |= dict.fromkeys(FILENAME_COLUMNS, FILENAME)
    return names | {level: level for level in pack.level_columns} | {name: name for name in pack.by_name}


def _propose(column: str, names: Mapping[str, str], pack: Pack) -> Proposal:
    if column == FILENAME or column in pack.by_name or column in pack.level_columns:
        return Proposal(column, column, How.EXACT)
    folded = normalise_column(column)
    if folded in pack.former_columns:
        return Proposal(column, None, How.UNSTRUCTURED, pack.former_columns[folded])
    if folded in names:
        return Proposal(column, names[folded], How.SYNONYM)
    near = close_matches(folded, tuple(names), limit=1, cutoff=CUTOFF)
    if near:
        return Proposal(column, names[near[0]], How.DID_YOU_MEAN, f"Did you mean '{names[near[0]]}'?")
    return Proposal(column, None, How.UNSTRUCTURED)
