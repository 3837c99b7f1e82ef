"""Short texts with headings, paragraphs and lists: a small part of Markdown, read into plain values.

What is shown is escaped by whoever shows it; nothing here makes HTML.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

_VERSION = re.compile(r"Version:[ \t]*(\S[^\n]{0,39})\s*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (of the first or second level), a paragraph or a list."""

    kind: Literal["title", "heading", "paragraph", "list"]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """A text and its version."""

    version: str
    blocks: tuple[Block, ...]


def read_prose(text: str) -> Prose:
    r"""Read a text. Its first line may say its version; else the beginning of its SHA-256 stands for it.

    >>> prose = read_prose("Version: 2\n\n# Terms\n\nBe kind\nto all.\n\n- one\n- two\n")
    >>> prose.version, [(block.kind, block.lines) for block in prose.blocks]
    ('2', [('title', ('Terms',)), ('paragraph', ('Be kind to all.',)), ('list', ('one', 'two'))])
    >>> read_prose("Be kind.").version
    '5499befb38db'
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    named = _VERSION.match(text)
    version = named[1].strip() if named else hashlib.sha256(text.encode()).hexdigest()[:12]
    body = text[named.end() :] if named else text
    return Prose(version, tuple(_block(part) for part in re.split(r"\n[ \t]*\n", body.strip()) if part.strip()))


def _block(part: str) -> Block:
    lines = [line.strip() for line in part.strip().splitlines()]
    if lines[0].startswith("## "):
        return Block("heading", (lines[0][3:].strip(),))
    if lines[0].startswith("# "):
        return Block("title", (lines[0][2:].strip(),))
    if lines[0].startswith("- "):
        items: list[str] = []
        for line in lines:
            if line.startswith("- "):
                items.append(line[2:].strip())
            else:
                items[-1] += f" {line}"
        return Block("list", tuple(items))
    return Block("paragraph", (" ".join(lines),))
