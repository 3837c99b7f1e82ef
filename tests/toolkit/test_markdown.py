"""What people write as Markdown, in a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtheca.toolkit.markdown import to_html

_TAGS = re.compile(r"<\s*/?\s*([a-zA-Z][a-zA-Z0-9]*)([^>]*)>")
_MADE = {
    *("p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "a", "code", "pre", "blockquote"),
    *("hr", "br", "table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox)",
        "[x](//evil.example)",
        "<javascript:alert(1)>",
        "![x](https://evil.example/track.png)",
        '[x](https://a.example "\\"onmouseover=alert(1)")',
        "[a]: javascript:alert(1)\n\n[a]",
        "<svg/onload=alert(1)>",
        "```<script>\nalert(1)\n```",
        '```"onload=x\nalert(1)\n```',
    ],
)
def test_nothing_runs_and_nothing_is_fetched(text):
    for tag, attributes in _TAGS.findall(to_html(text)):
        assert tag in _MADE
        # What stands between quotes is text; what is left are names of attributes.
        names = set(re.findall(r"([\w-]+)\s*=", re.sub(r'"[^"]*"', '""', attributes)))
        assert names <= {"href", "title", "rel", "class", "start"}
        for address in re.findall(r'href="([^"]*)"', attributes):
            assert address.startswith(("https://", "http://", "mailto:", "#", "/"))
            assert not address.startswith("//")


@given(st.text(alphabet="<>[]()!\"'&;:#/*_`~|-\n javscriptonhref=x0", max_size=80))
def test_whatever_is_written(text):
    for tag, attributes in _TAGS.findall(to_html(text)):
        assert tag in _MADE
        assert "on" not in re.findall(r"([\w-]+)\s*=", re.sub(r'"[^"]*"', '""', attributes))


def test_what_people_use():
    html = to_html("# Head\n\n- *one*\n- [two](https://doi.org/10.1)\n\n| a | b |\n|---|--:|\n| 1 | ~~2~~ |\n")
    assert "<h2>Head</h2>" in html
    assert "<em>one</em>" in html
    assert '<a href="https://doi.org/10.1" rel="nofollow noopener noreferrer">two</a>' in html
    assert "<td><s>2</s></td>" in html


def test_classes_stand_at_their_elements():
    assert to_html("- a", classes={"ul": "list"}).startswith('<ul class="list">')
