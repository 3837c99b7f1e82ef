"""Text becomes a tree.

Written by hand, from left to right: time grows with the length of the text alone, depth is counted, and each place
knows what it expects, which is what an error has to say. A grammar of a parser library would try ways and go back, and
tell of the last way it tried.

    query   = or
    or      = and { "OR" and }
    and     = unary { [ "AND" ] unary }
    unary   = { "-" | "NOT" } ( "(" or ")" | field ":" value | word | phrase | "*" )
    value   = one | "(" value-or ")"              with OR, AND and NOT between values, none left out
    one     = text | number | date | "true" | "false" | "*" | range | (">=" | "<=" | ">" | "<") (number | date)
    range   = ("[" | "{") bound "TO" bound ("]" | "}")
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from medtheca.toolkit.querylang.errors import QueryError
from medtheca.toolkit.querylang.fields import SearchField, ValueKind, find_field, similar_names
from medtheca.toolkit.querylang.literals import QUOTED, RUN, pieces_of, quote
from medtheca.toolkit.querylang.scanner import Scanner
from medtheca.toolkit.querylang.tree import Everything, Leaf, Node, Words, all_of, any_of, none_of
from medtheca.toolkit.querylang.values import read_value
from medtheca.toolkit.schemas import DERMATOLOGY

LONGEST_QUERY = 8192
DEEPEST = 50
MOST_TERMS = 512
MOST_WORDS = 32

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*:")
_WORD = re.compile(r"\w[\w\-./']*")
# Possessive: half a name of a field is no word.
_WORDS = re.compile(r"\w[\w\-./',]*+(?:\s+(?!AND\b|OR\b|NOT\b)\w[\w\-./',]*+(?!\s*:))*")
_COMPARED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*(?:[<>]=?|=)")
_ALL = re.compile(r"\*(?=[\s()]|\Z)")
_CAPITALS = re.compile(r"AND|OR|NOT")
_QUOTE = re.compile('"')
_SMALL = {"and": "AND", "or": "OR", "not": "NOT"}
_TERM = "a field with its value, a word, a phrase in quotes, or ("


def parse(text: str) -> Node:
    """The tree of a query; the empty query is `Everything`. Raises `QueryError` and nothing else."""
    if len(text) > LONGEST_QUERY:
        message = f"The query has {len(text):,} characters; {LONGEST_QUERY:,} are possible."
        raise QueryError("too_long", message, "Use a collection for long lists of images.", column=LONGEST_QUERY + 1)
    if strange := _NO_TEXT.search(text):
        raise QueryError("no_text", "This character is in no text here.", "Leave it out.", column=strange.start() + 1)
    return _Parser(text).parse()


def is_bare_word(text: str) -> bool:
    """Whether a text is a word that needs no quotes."""
    return bool(_WORD.fullmatch(text)) and text.upper() not in _SMALL.values()


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that was read, and whether a text of several words could stand there."""

    at: int
    written: str
    is_text: bool


class _Parser:
    def __init__(self, text: str) -> None:
        self.scanner = Scanner(text)
        self.opened: list[int] = []
        self.terms = 0
        self.words = 0
        # The value that has just ended, where nothing stands between: a bare word here may belong to it.
        self.value: _Value | None = None

    def parse(self) -> Node:
        self.scanner.skip_space()
        if self.scanner.at_end:
            return Everything()
        node = self.disjunction(self.term, implicit=True)
        if not self.scanner.at_end:
            self.unexpected()
        return node

    def disjunction(self, operand: Callable[[], Node], *, implicit: bool) -> Node:
        parts = [self.conjunction(operand, implicit=implicit)]
        while self.scanner.take_keyword("OR"):
            self.value = None
            parts.append(self.conjunction(operand, implicit=implicit))
        return any_of(*parts)

    def conjunction(self, operand: Callable[[], Node], *, implicit: bool) -> Node:
        parts = [self.unary(operand, implicit=implicit)]
        while not self.at_end_of_conjunction():
            if self.scanner.take_keyword("AND"):
                self.value = None
            elif not implicit:
                self.unexpected()
            parts.append(self.unary(operand, implicit=implicit))
        return all_of(*parts)

    def at_end_of_conjunction(self) -> bool:
        self.scanner.skip_space()
        if self.scanner.at_end or self.scanner.next == ")":
            return True
        before = self.scanner.at
        ends = self.scanner.take_keyword("OR")
        self.scanner.at = before
        return ends

    def unary(self, operand: Callable[[], Node], *, implicit: bool) -> Node:
        negated = False
        self.scanner.skip_space()
        # Among values a hyphen begins a value.
        while self.scanner.take_keyword("NOT") or (implicit and self.scanner.take_text("-")):
            self.value = None
            negated = not negated
            self.scanner.skip_space()
        node = self.group(operand, implicit=implicit) if self.scanner.next == "(" else operand()
        return none_of(node) if negated else node

    def group(self, operand: Callable[[], Node], *, implicit: bool) -> Node:
        if len(self.opened) >= DEEPEST:
            self.scanner.fail("too_deep", f"More than {DEEPEST} brackets are open.", "Take some of them away.")
        self.opened.append(self.scanner.at)
        self.scanner.at += 1
        node = self.disjunction(operand, implicit=implicit)
        if not self.scanner.take_text(")"):
            self.unexpected()
        self.opened.pop()
        self.value = None
        return node

    def term(self) -> Node:
        scanner = self.scanner
        if name := scanner.looking_at(_NAME):
            return self.field_term(name)
        if scanner.next == '"':
            return self.phrase()
        if scanner.take(_ALL):
            self.value = None
            return Everything()
        if scanner.looking_at(_WORD):
            return self.word()
        return self.unexpected()

    def field_term(self, name: re.Match[str]) -> Node:
        field = self.field_named(name)
        self.scanner.at = name.end()
        self.scanner.skip_space()
        if self.scanner.next == "(":
            return self.group(lambda: self.one_value(field), implicit=False)
        start = self.scanner.at
        node = self.one_value(field)
        is_text = field.kind in {ValueKind.KEYWORD, ValueKind.HIERARCHY}
        self.value = _Value(start, self.scanner.text[start : self.scanner.at], is_text)
        return node

    def one_value(self, field: SearchField) -> Leaf:
        self.scanner.skip_space()
        self.count_term()
        if self.scanner.at_end or self.scanner.next == ")":
            self.scanner.fail("no_value", f"{field.name} has no value here.", f"Write {field.name}:* for any value.")
        return read_value(self.scanner, field)

    def field_named(self, name: re.Match[str]) -> SearchField:
        field = find_field(name[1])
        if field is not None:
            return field
        message, remedy = f"There is no field {name[1]}.", ""
        if name[1] == "age":
            message, remedy = "The exact age is private.", "Ask for age_approx, which is in steps of five years."
        elif name[1] in DERMATOLOGY.former_columns:
            message = f"{name[1]} was a field of earlier versions and is not searched any more."
        elif name[1] in DERMATOLOGY.columns:
            message = f"{name[1]} is not searched."
        return self.scanner.fail(
            "unknown_field",
            message,
            remedy,
            length=len(name[1]),
            expected="the name of a field",
            suggestions=similar_names(name[1]),
        )

    def phrase(self) -> Node:
        match = self.scanner.looking_at(QUOTED)
        if match is None:
            self.scanner.fail("open_quote", "These quotes are not closed.", 'Put " at the end.', expected='"')
        pieces = pieces_of(match[1])
        if len(pieces) > 1:
            self.star_in_words(match)
        if not pieces[0].strip():
            self.scanner.fail("no_word", "There is nothing between these quotes.", length=len(match[0]))
        self.scanner.at = match.end()
        return self.words_of(pieces[0].strip())

    def word(self) -> Node:
        match = self.scanner.looking_at(_WORD)
        assert match is not None
        word = match[0]
        if word in {"AND", "OR", "NOT"}:
            self.unexpected()
        if (compared := self.scanner.looking_at(_COMPARED)) and find_field(compared[1]):
            self.compared_without_colon(compared)
        if word.lower() in _SMALL:
            word_in_capitals = _SMALL[word.lower()]
            remedy = f'Write {word_in_capitals}, or "{word}" to search for the word.'
            self.scanner.fail("small_keyword", f"{word_in_capitals} is written in capitals.", remedy, length=len(word))
        if self.value is not None:
            self.word_after_value(match)
        self.scanner.at = match.end()
        if self.scanner.next == "*":
            self.star_in_words(match)
        if self.scanner.next not in {"", ")"} and not self.scanner.next.isspace():
            remedy = f'Put words with such characters in quotes: "{word}{self.scanner.next}…".'
            self.scanner.fail("unexpected", f"{self.scanner.next} is in no word.", remedy, expected="a space")
        return self.words_of(word)

    def words_of(self, text: str) -> Words:
        self.count_term()
        self.words += 1
        if self.words > MOST_WORDS:
            self.scanner.fail("too_many_words", f"More than {MOST_WORDS} free words.", "Ask for values of fields.")
        self.value = None
        return Words(text)

    def count_term(self) -> None:
        self.terms += 1
        if self.terms > MOST_TERMS:
            self.scanner.fail("too_many_terms", f"More than {MOST_TERMS} terms.", "Use a collection for long lists.")

    def star_in_words(self, match: re.Match[str]) -> None:
        remedy = r"Leave the star out; in quotes, \* stands for the star itself."
        message = "Free words are found by their beginning anyway."
        self.scanner.fail("star_in_words", message, remedy, at=match.start(), length=len(match[0]))

    def compared_without_colon(self, compared: re.Match[str]) -> None:
        sign = compared[0][len(compared[1]) :].strip()
        remedy = f"Write {compared[1]}:{sign.removeprefix('=')}…, with a colon."
        end = compared.start() + len(compared[1])
        self.scanner.fail("no_colon", "There is a colon between a field and its value.", remedy, at=end, expected=":")

    def word_after_value(self, word: re.Match[str]) -> None:
        """ISIC refuses `diagnosis_3:Melanoma Invasive`; taken for a word it would find something else, silently."""
        assert self.value is not None
        found = self.scanner.looking_at(_WORDS) or word
        message = f"{word[0]} follows a value, and a value without quotes is one word."
        remedy = f"Put AND before {word[0]} to search for the word."
        at, suggestions = found.start(), []
        if self.value.is_text and self.value.written[:1] != '"':
            at = self.value.at
            suggestions = [quote(" ".join(f"{self.value.written} {found[0]}".split()))]
        self.scanner.fail(
            "word_after_value",
            message,
            remedy,
            at=at,
            length=found.end() - at,
            expected="AND, OR, a field" if not suggestions else "a value in quotes",
            suggestions=suggestions,
        )

    def unexpected(self) -> Node:
        """Say what is wrong here."""
        scanner = self.scanner
        expected = _TERM
        if scanner.at_end and self.opened:
            column = self.opened[-1] + 1
            message, remedy = f"The ( in column {column} is not closed.", "Put ) where it ends."
            expected = ")"
        elif scanner.at_end:
            message, remedy = "The query ends where something has to follow.", "Leave the last word out, or go on."
        elif scanner.next == ")" and not self.opened:
            message, remedy = "There is no ( for this ).", "Take it away."
        elif keyword := scanner.looking_at(_CAPITALS):
            message = f"{keyword[0]} stands between terms, and one is missing."
            remedy = f'Write "{keyword[0]}" in quotes to search for the word.'
        elif self.opened and (word := scanner.looking_at(RUN) or scanner.looking_at(_QUOTE)):
            message, remedy = f"{word[0][:40]} is not expected here.", "Put OR or AND between values in brackets."
            expected = "OR, AND or )"
        elif scanner.next == ",":
            message, remedy = "Values are not listed by commas.", "Write field:(one OR other)."
        else:
            message, remedy = f"{scanner.next} is not expected here.", f"Here stands {_TERM}."
        return scanner.fail("unexpected", message, remedy, expected=expected)
