"""Trees in Newick's format: `(A:0.1,(B,C)clade:2)root;`."""

from __future__ import annotations

import math
import re

from medtheca.toolkit.errors import Refused
from medtheca.toolkit.ranges.readers import RangeReader

LARGEST = 16 << 20
"""Bytes of a tree, which is read whole."""

DEEPEST = 10_000
_TOKEN = re.compile(r"\s+|\[[^\]]*\]|'(?:[^']|'')*'|[(),:;]|[^\s()\[\]',:;]+")
_REMEDY = "Write it as (A:0.1,(B:0.2,C:0.3):0.4);"


def check_newick(file: RangeReader) -> None:
    """Raise `Refused` unless the file holds one or more trees, each ended by a semicolon."""
    if file.size > LARGEST:
        raise Refused("too_large", f"The file has {file.size:,} bytes, and {LARGEST:,} are the most.", "")
    try:
        text = file.read(0, file.size).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("not_text", f"The file is no text in UTF-8: byte {error.start:,} is none.", _REMEDY) from None
    check_trees(text)


def check_trees(text: str) -> None:
    """Raise `Refused` unless the text is trees, with the line where it ends to be one.

    >>> check_trees("((A:1,B:2)ab:0.5,'it''s C')root;")
    >>> check_trees("(A,B;")
    Traceback (most recent call last):
    ...
    medtheca.toolkit.errors.Refused: Line 1: a ( is never closed. Write it as (A:0.1,(B:0.2,C:0.3):0.4);
    """
    at = depth = trees = 0
    before = ";"
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _refusal(text, at, "a quote or a bracket is never closed")
        piece = match[0]
        if not piece.isspace() and not piece.startswith("["):
            why = _fault(piece, before, depth)
            if why:
                raise _refusal(text, at, why)
            depth += (piece == "(") - (piece == ")")
            trees += piece == ";"
            before = piece if piece in _SIGNS else "length" if before == ":" else "name"
        at = match.end()
    if before != ";" or not trees:
        raise _refusal(text, at, "a tree ends with a semicolon" if before != ";" else "there is no tree")


_SIGNS = "(),:;"


def _fault(piece: str, before: str, depth: int) -> str:
    """Why a piece cannot stand here, or nothing; `before` is what stood before: a sign, a name or a length."""
    if before == ":":
        return "" if _is_length(piece) else f"{piece[:20]} is no length"
    if piece not in _SIGNS:
        return "a name has a space in it, and no quotes around it" if before in ("name", "length") else ""
    faults = {
        "(": [
            (before not in "(,;", "a ( stands after a name"),
            (depth >= DEEPEST, f"it is more than {DEEPEST:,} deep"),
        ],
        ")": [(not depth, "a ) closes nothing")],
        ",": [(not depth, "a comma stands outside of all brackets")],
        ":": [(before == "length", "a second length stands after the first")],
        ";": [(bool(depth), "a ( is never closed"), (before == ";", "a tree is empty")],
    }
    return next((why for is_so, why in faults[piece] if is_so), "")


def _is_length(token: str) -> bool:
    try:
        return math.isfinite(float(token))
    except ValueError:
        return False


def _refusal(text: str, at: int, why: str) -> Refused:
    return Refused("invalid_newick", f"Line {text.count(chr(10), 0, at) + 1}: {why}.", _REMEDY)
