"""Texts become trees: ISIC's samples, what is more than ISIC's, and what is wrong with the rest."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from medtheca.toolkit.querylang import (
    DEEPEST,
    FIELDS,
    LONGEST_QUERY,
    MOST_TERMS,
    MOST_WORDS,
    Node,
    QueryError,
    leaves_of,
    parse,
    to_text,
)
from tests.toolkit.querylang.trees import SCRAPS, trees

# What contracts of ISIC's language say of it, each with the same in other words.
ISIC = [
    ("sex:male sex:female", "sex:male AND sex:female"),
    ("sex:male OR sex:female AND melanocytic:true", "sex:male OR (sex:female AND melanocytic:true)"),
    ("sex:male AND sex:female OR melanocytic:true", "(sex:male AND sex:female) OR melanocytic:true"),
    ("age_approx:[10 TO 20}", "age_approx:[10.0 TO 2e1}"),
    ("age_approx:[10TO20]", "age_approx:[10 TO 20]"),
    ("age_approx:{* TO 5.5]", "age_approx:<=5.5"),
    ("age_approx:[* TO *]", "age_approx:*"),
    ("mel_thick_mm:1e-1", "mel_thick_mm:0.10"),
    ("age_approx:50sex:male", "age_approx:50 sex:male"),
    ("melanocytic:true-sex:male", "melanocytic:true NOT sex:male"),
    ('sex:"male"sex:female', "sex:male AND sex:female"),
    ("sex : male", "sex:male"),
    ("- sex:male", "-sex:male"),
    ("-sex:*", "NOT sex:*"),
    ('mel_mitotic_index:"0/mm^2"', 'mel_mitotic_index:("0/mm^2")'),
    ("image_type:clinical", 'image_type:"clinical: close-up"'),
    ("image_type:overview", 'image_type:"clinical: overview"'),
    ('diagnosis_3:"Melanoma*"', "diagnosis_3:Melanoma*"),
    ('diagnosis_3:"*oma"', "diagnosis_3:*oma"),
    ("copyright_license:CC-BY", 'license:"CC-BY-4.0"'),
    ("isic_id:ISIC_000*", "isic_id:ISIC_000**"),
    ("", "   \t\n"),
]


@pytest.mark.parametrize(("text", "same"), ISIC)
def test_isic_means_what_it_means(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("(sex:male OR sex:female) melanocytic:true", "(sex:male OR sex:female) AND melanocytic:true"),
        ("sex:(male OR female)", "sex:male OR sex:female"),
        ("-(sex:male OR sex:female)", "-(sex:male OR sex:female)"),
        ("NOT sex:male", "-sex:male"),
        ("NOT NOT sex:male", "sex:male"),
        ("- NOT -sex:male", "-sex:male"),
        ("sex:(NOT male)", "-sex:male"),
        ("age_approx:(10 OR >=50 OR [20 TO 30})", "age_approx:10 OR age_approx:[50 TO *] OR age_approx:[20 TO 30}"),
        ("age_approx:> 50", "age_approx:{50 TO *]"),
        ("diagnosis_3:Mel*ma", "diagnosis_3:Mel*ma"),
        ("diagnosis_3:*elan*", "diagnosis_3:*elan*"),
        (r'attribution:"a \"b\" \\ \* c"', r'attribution:"a \"b\" \\ \* c"'),
        (r'attribution:"C:\dir"', r'attribution:"C:\\dir"'),
        ("diagnosis:Nevus", "diagnosis:Nevus"),
        ('diagnosis:"Benign:Benign melanocytic proliferations:Nevus"', "diagnosis:Nevus"),
        ("anatom_site:Trunk", "anatom_site:Trunk"),
        ("created:2024", "created:[2024-01-01 TO 2025-01-01}"),
        ("created:2024-12", "created:[2024-12-01 TO 2025-01-01}"),
        ("created:2024-02-28", "created:[2024-02-28 TO 2024-02-29}"),
        ("created:[2024-01-01 TO 2024-06-30]", "created:[2024-01-01 TO 2024-07-01}"),
        ("created:{2024 TO 2025}", "created:[2025-01-01 TO 2025-01-01}"),
        ("created:>=2024", "created:[2024-01-01 TO *]"),
        ("created:>2024", "created:[2025-01-01 TO *]"),
        ("created:<=2024-06", "created:[* TO 2024-07-01}"),
        ("created:<2024", "created:[* TO 2024-01-01}"),
        ("created:2024-06-30T12:30", "created:[2024-06-30T12:30:00Z TO 2024-06-30T12:31:00Z}"),
        ('created:>="2024-06-30 12:30:00.5+02:00"', "created:[2024-06-30T10:30:00.500000Z TO *]"),
        ("clin_size_long_diam_mm:>=1cm", "clin_size_long_diam_mm:[10 TO *]"),
        ("file_size:<2MiB", "file_size:[* TO 2097152}"),
        ("modality:ct", "modality:CT"),
        ("modality:(CT OR MR) format:DICOM", "(modality:CT OR modality:MR) AND format:dicom"),
        ("body_part:12738006", "body_part:Brain"),
        ('licence:CC-0 cohort:12 collection:"My x"', 'copyright_license:CC-0 AND cohort:12 AND collection:"My x"'),
        ("melanoma", "melanoma"),
        ("melanoma sex:male", "melanoma AND sex:male"),
        ("sex:male AND melanoma", "sex:male AND melanoma"),
        ('sex:male "blue nevus"', 'sex:male AND "blue nevus"'),
        ("sex:male -nevus", "sex:male AND -nevus"),
        ("ISIC_0000001", "ISIC_0000001"),
        ('"and" close-up', '"and" AND close-up'),
        ("*", ""),
        ("-*", "-*"),
        ("* OR sex:male", ""),
    ],
)  # fmt: skip
def test_there_is_more_than_isic(text: str, canonical: str) -> None:
    assert to_text(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "code", "column", "said"),
    [
        ("age_approx:[10 to 20]", "bad_range", 16, "Did you mean 'TO'?"),
        ("diagnosis_3:Melanoma Invasive", "word_after_value", 13, 'Did you mean \'"Melanoma Invasive"\'?'),
        ("diagnosis_3:Melanoma Invasive sex:male", "word_after_value", 13, "Put AND before Invasive"),
        ("sex:male melanoma", "word_after_value", 5, "Put AND before melanoma"),
        ('sex:"male" melanoma', "word_after_value", 12, "Put AND before melanoma"),
        ("age_approx:50 melanoma", "word_after_value", 15, "Put AND before melanoma"),
        ("mel_mitotic_index:0/mm^2", "needs_quotes", 19, "Did you mean '\"0/mm^2\"'?"),
        ("melanocytic:TRUE", "bad_bool", 13, "Did you mean 'true'?"),
        ("melanocytic:1", "bad_bool", 13, "Did you mean 'true'?"),
        ("diagnosys:x", "unknown_field", 1, "Did you mean 'diagnosis'"),
        ("sex:male -agee_approx:5", "unknown_field", 11, "Did you mean 'age_approx'"),
        ("age:50", "unknown_field", 1, "Ask for age_approx"),
        ("hairy:true", "unknown_field", 1, "a field of earlier versions"),
        ("acquisition_day:1", "unknown_field", 1, "is not searched"),
        ("diagnosis:Nevis", "unknown_value", 11, "Did you mean 'Nevus'?"),
        ("modality:XYZ", "unknown_value", 10, "modality:* for any"),
        ("sex:", "no_value", 5, "sex:* for any"),
        ("sex:male,female", "listed", 5, "Did you mean '(male OR female)'?"),
        ("sex:(male female)", "unexpected", 11, "Put OR or AND between"),
        ("sex:(male OR female", "unexpected", 20, "The ( in column 5 is not closed"),
        ("(sex:male", "unexpected", 10, "The ( in column 1 is not closed"),
        ("sex:male)", "unexpected", 9, "There is no ( for this )"),
        ("sex:male OR", "unexpected", 12, "The query ends"),
        ("OR sex:male", "unexpected", 1, "one is missing"),
        ("sex:male AND OR sex:female", "unexpected", 14, "one is missing"),
        ("melanoma and nevus", "small_keyword", 10, "AND is written in capitals"),
        ("sex:male or sex:female", "small_keyword", 10, "OR is written in capitals"),
        ("age_approx>=50", "no_colon", 11, "Write age_approx:>=…"),
        ("sex=male", "no_colon", 4, "Write sex:…"),
        ("age_approx:old", "bad_number", 12, "takes a number, not old"),
        ('age_approx:"50"', "bad_number", 12, "Leave the quotes out"),
        ("age_approx:1e400", "bad_number", 12, "so large"),
        (f"age_approx:{'9' * 16}", "bad_number", 12, "so exact"),
        ("age_approx:50kg", "bad_unit", 14, "without a unit"),
        ("file_size:>5XB", "bad_unit", 13, "Units of file_size are kB, MB"),
        ("age_approx:[10 TO 20", "bad_range", 21, "The [ in column 12 is not closed"),
        ("sex:[male TO female]", "no_range", 5, "has no ranges"),
        ("sex:>male", "no_range", 5, "has no ranges"),
        ("created:2024-02-30", "bad_date", 9, "There is no 2024-02-30"),
        ("created:9999", "bad_date", 9, "There is no 9999"),
        ("created:2024-*", "bad_date", 13, "Write created:2024"),
        ("created:yesterday", "bad_date", 9, "takes a date, not yesterday"),
        ('sex:"male', "open_quote", 5, 'Put " at the end'),
        ('"male', "open_quote", 1, 'Put " at the end'),
        ('""', "no_word", 1, "nothing between"),
        ("mel*", "star_in_words", 1, "by their beginning anyway"),
        ('"mel*"', "star_in_words", 1, "by their beginning anyway"),
        ("cohort:A*", "no_stars", 8, "its id or its whole name"),
        ("collection:*", "no_stars", 12, "its id or its whole name"),
        ("sex:" + "a*" * 10, "too_many_stars", 5, "More than 8 stars"),
        ("sex:male & sex:female", "unexpected", 10, "& is not expected here"),
        ("melanoma,nevus", "unexpected", 9, "in quotes"),
        ("sex:m\x00", "no_text", 6, "in no text"),
        ("\ud800", "no_text", 1, "in no text"),
        ("(" * (DEEPEST + 1), "too_deep", DEEPEST + 1, "brackets are open"),
        ("sex:male " * (MOST_TERMS + 1), "too_many_terms", 9 * MOST_TERMS + 5, "More than"),
        ("word " * (MOST_WORDS + 1), "too_many_words", 5 * (MOST_WORDS + 1), "More than"),
        ("a" * (LONGEST_QUERY + 1), "too_long", LONGEST_QUERY + 1, "8,193 characters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, code: str, column: int, said: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(text)
    assert (error.value.code, error.value.column) == (code, column), str(error.value)
    assert said in str(error.value)


def test_a_suggestion_put_in_its_place_is_a_query() -> None:
    texts = ("diagnosis:Nevis", "diagnosys:Nevus", "mel_mitotic_index:0/mm^2", "sex:male,female", "melanocytic:TRUE")
    for text in (*texts, "age_approx:[10 to 20]", "modality:XYZ", "copyright_licens:CC-0"):
        with pytest.raises(QueryError) as error:
            parse(text)
        at = error.value.column - 1
        if error.value.suggestions:
            parse(text[:at] + error.value.suggestions[0] + text[at + error.value.length :])
        else:
            assert text == "modality:XYZ"


def test_brackets_may_be_as_deep_as_is_said() -> None:
    inner = "sex:male"
    for at in range(DEEPEST):
        inner = f"(-{inner} {'OR' if at % 2 else 'AND'} melanocytic:true)"
    assert parse(to_text(parse(inner))) == parse(inner)


def tree_or_error(text: str) -> Node | QueryError:
    try:
        return parse(text)
    except QueryError as error:
        return error


@given(SCRAPS)
@example('"' * 50)
@example("created:2024-01-01T00:00:00+99:99")
@example("created:0001-01-01T00:00+01:00")
@example("age_approx:1e-99999999999999999999")
@settings(max_examples=500, deadline=None)
def test_a_text_is_a_query_or_an_error_with_a_place_in_it(text: str) -> None:
    tree = tree_or_error(text)
    if isinstance(tree, QueryError):
        assert 1 <= tree.column <= len(text) + 1
        assert tree.length >= 1
        assert tree.message
    else:
        assert parse(to_text(tree)) == tree


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_query_or_an_error(text: str) -> None:
    tree = tree_or_error(text)
    assert not isinstance(tree, QueryError) or 1 <= tree.column <= len(text) + 1


@given(trees())
@settings(max_examples=250, deadline=None)
def test_a_tree_is_read_again_from_what_it_is_printed_as(tree: object) -> None:
    assert parse(to_text(tree)) == tree  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "part",
    [
        "a ",
        "sex:male ",
        "(",
        "-",
        "NOT ",
        '"',
        "sex : ",
        "a" * 100,
        " ",
        "*",
        "sex:(male OR ",
        "sex:*a",
        "1,",
        "[",
        "a:",
    ],
)
def test_reading_never_goes_back(part: str) -> None:
    def calls(length: int) -> int:
        counted = 0

        def count(*_: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        tree_or_error((part * length)[:length])
        sys.setprofile(None)
        return counted

    assert calls(LONGEST_QUERY) < 16 * calls(LONGEST_QUERY // 8) + 1000


def test_every_field_is_asked_for_by_its_name() -> None:
    for name, field in FIELDS.items():
        value = "1" if field.by_name else "*"
        [leaf] = leaves_of(parse(f"{name}:{value}"))
        assert leaf.field is field  # type: ignore[union-attr]
