"""Everything that is recorded can be read as a sentence, and everything that is told is declared."""

import textwrap
from pathlib import Path

import pytest

import medtheca
from medtheca.domains.ledger.kinds import KINDS, known
from medtheca.domains.ledger.verbs import VERBS
from tests.architecture.written_words import written

SOURCE = Path(medtheca.__file__).parent


def test_every_verb_that_is_written_has_a_sentence():
    found = list(written(SOURCE, "record", "verb"))
    assert len(found) > 40
    missing = sorted(f"{verb}: {place}" for verb, place in found if verb not in VERBS)
    assert missing == [], (
        "Add rows to VERBS in domains/ledger/verbs.py; `None` means: write the verb in the same module."
    )


def test_every_kind_that_is_told_is_declared():
    found = list(written(SOURCE, "notify", "kind"))
    assert len(found) > 8
    missing = sorted(f"{kind}: {place}" for kind, place in found if kind is None or not known(kind))
    assert missing == [], "Add rows to KINDS in domains/ledger/kinds.py."


def test_no_sentence_and_no_kind_is_left_that_nobody_uses():
    verbs = {verb for verb, _ in written(SOURCE, "record", "verb")}
    kinds = {kind for kind, _ in written(SOURCE, "notify", "kind")}
    assert sorted(set(VERBS) - verbs) == []
    assert sorted({kind.name for kind in KINDS} - kinds) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("record(verb='a.b')", {"a.b"}),
        ("record(verb='a.b' if x else 'a.c')", {"a.b", "a.c"}),
        ("V = 'a.b'\nrecord(verb=V)", {"a.b"}),
        ("V = {1: 'a.b', 2: 'a.c'}\nrecord(verb=V[x])\nrecord(verb=V.get(x, 'a.d'))", {"a.b", "a.c", "a.d"}),
        ("def f(w, v):\n  record(verb=v)\nf(1, 'a.b')\nf(1, v='a.c')", {"a.b", "a.c"}),
        ("def f(w):\n  k = 'a' if x else 'b'\n  record(verb=f'{k}.{w}')\nf('c')", {"a.c", "b.c"}),
        ("def f():\n  v, n = 'a.b', 1\n  record(verb=v)", {"a.b"}),
        ("for x, v in ((1, 'a.b'), (2, 'a.c')):\n  record(verb=v)", {"a.b", "a.c"}),
        ("def k():\n  return 'a.b' if x else 'a.c'\nrecord(verb=k())", {"a.b", "a.c"}),
        ("record(verb=other())", {None}),
        ("def f(v):\n  record(verb=v)", {None}),
    ],
)
def test_words_are_found_however_they_are_written(tmp_path, code, expected):
    (tmp_path / "module.py").write_text(textwrap.dedent(code))
    assert {verb for verb, _ in written(tmp_path, "record", "verb")} == expected
