"""Queries as a panel of filters changes them: values chosen of a field, a range of a field, a part taken out.

A query is looked at as parts joined by AND. The choice of a field is the first part that says that the field has one
of some values, as `sex:male` and `sex:(male OR female)` do; its range is the first part that is one. Whatever else was
written stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from medtheca.toolkit.querylang.fields import SearchField, ValueKind
from medtheca.toolkit.querylang.tree import And, Bound, Equals, Everything, Node, Or, Range, Subtree, all_of, any_of
from medtheca.toolkit.schemas.vocabulary import SEPARATOR

Chosen = Equals | Subtree


def parts_of(tree: Node) -> tuple[Node, ...]:
    """What is joined by AND; nothing for the empty query."""
    if isinstance(tree, Everything):
        return ()
    return tree.parts if isinstance(tree, And) else (tree,)


def without_part(tree: Node, part: Node) -> Node:
    """The query without one of its parts."""
    return all_of(*(other for other in parts_of(tree) if other is not part))


def choice_of(tree: Node, field: SearchField) -> tuple[Chosen, ...]:
    """The values that are chosen of a field.

    >>> from medtheca.toolkit.querylang import FIELDS, parse
    >>> [one.value for one in choice_of(parse("sex:(male OR female) nevus"), FIELDS["sex"])]
    ['male', 'female']
    """
    for part in parts_of(tree):
        if chosen := _chosen_in(part, field):
            return chosen
    return ()


def with_choice(tree: Node, field: SearchField, chosen: Sequence[Chosen]) -> Node:
    """The query with these values of the field chosen, in the place of those that were; none at all takes them out."""
    wanted = any_of(*chosen) if chosen else Everything()
    parts = list(parts_of(tree))
    for at, part in enumerate(parts):
        if _chosen_in(part, field):
            parts[at] = wanted
            return all_of(*parts)
    return all_of(*parts, wanted)


def toggled(chosen: Sequence[Chosen], leaf: Chosen) -> list[Chosen]:
    """The values with one more, or with one less where it was among them.

    In a hierarchy a path takes the place of those above and below it; taken out, it leaves the path above it, unless
    another one below that is chosen.
    """
    if not isinstance(leaf, Subtree):
        return [one for one in chosen if one != leaf] if leaf in chosen else [*chosen, leaf]
    others = [one for one in chosen if one != leaf]
    if leaf not in chosen:
        return [one for one in others if not (isinstance(one, Subtree) and _on_one_branch(one.path, leaf.path))] + [
            leaf
        ]
    above = leaf.path.rpartition(SEPARATOR)[0]
    if above and not any(isinstance(one, Subtree) and is_within(one.path, above) for one in others):
        return [*others, Subtree(leaf.field, above)]
    return others


def is_within(path: str, above: str) -> bool:
    """Whether a path of a hierarchy is another one, or below it."""
    return path == above or path.startswith(above + SEPARATOR)


def range_of(tree: Node, field: SearchField) -> Range | None:
    """The range that is asked for of a field; a single number is a range of itself."""
    return next((found for part in parts_of(tree) if (found := _range_in(part, field))), None)


def without_range(tree: Node, field: SearchField) -> Node:
    """The query without that range."""
    for part in parts_of(tree):
        if _range_in(part, field):
            return without_part(tree, part)
    return tree


def _chosen_in(part: Node, field: SearchField) -> tuple[Chosen, ...]:
    leaves = part.parts if isinstance(part, Or) else (part,)
    chosen = tuple(leaf for leaf in leaves if isinstance(leaf, Equals | Subtree) and leaf.field is field)
    return chosen if len(chosen) == len(leaves) else ()


def _range_in(part: Node, field: SearchField) -> Range | None:
    if isinstance(part, Range) and part.field is field:
        return part
    if isinstance(part, Equals) and part.field is field and field.kind is ValueKind.NUMBER:
        assert not isinstance(part.value, str | bool)
        end = Bound(part.value, inclusive=True)
        return Range(field, end, end)
    return None


def _on_one_branch(path: str, other: str) -> bool:
    return is_within(path, other) or is_within(other, path)
