"""Markdown (CommonMark with tables and strikethrough) as HTML that can be put into a page as it is.

What is written as HTML is shown as text; links lead to http, https and mailto alone; pictures from elsewhere are links,
since a page must not tell others who reads it. Headings begin below those of the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SAFE = re.compile(r"(?:https?://|mailto:|#|/(?!/))", re.IGNORECASE)
_NO_CLASSES: Mapping[str, str] = {}
_LOWEST = 6
_DEEPER = 1


def to_html(text: str, *, classes: Mapping[str, str] = _NO_CLASSES) -> str:
    """HTML of a text. `classes` maps names of elements, such as `ul`, to what stands in their class attribute.

    >>> to_html("**Bold** <script>alert(1)</script> [x](javascript:alert(1))").strip()
    '<p><strong>Bold</strong> &lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:alert(1))</p>'
    """
    parser = _parser()
    tokens = parser.parse(text.replace("\x00", ""))
    _settle(tokens, classes)
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html


def _settle(tokens: Sequence[Token], classes: Mapping[str, str]) -> None:
    """Put headings below those of the page, say of links that they lead elsewhere, and give elements their classes."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + _DEEPER, _LOWEST)}"
        elif token.type == "link_open":
            token.attrSet("rel", "nofollow noopener noreferrer")
        # Alignment of columns would be a style of its own, which the policy of pages forbids.
        token.attrs.pop("style", None)
        if token.nesting >= 0 and token.tag in classes:
            token.attrSet("class", classes[token.tag])
        _settle(token.children or (), classes)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    parser.disable(["image", "html_block", "html_inline"])
    # Its own rule lets more schemes pass than anybody needs here.
    parser.validateLink = _is_safe  # type: ignore[method-assign]  # how the library says to replace its rule
    return parser


def _is_safe(url: str) -> bool:
    return _SAFE.match(url.strip()) is not None
