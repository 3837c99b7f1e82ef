"""Our dermatology pack against the ISIC Archive's own schema library, row by row."""

import json
import random
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from medtheca.toolkit.schemas import DERMATOLOGY, Kind, validate_batch, validate_row
from medtheca.toolkit.schemas.packs.dermatology import ANATOM_SITE, DIAGNOSIS
from tests.contract.environments import environment_with

SEED = 61
MIXED = 5_000
BATCHES = 5_000
INTEGERS = ["0", "5", "+5", "-5", "007", "5.0", "5.", "5.5", ".0", "1_0", "1__0", "85", "85+", "86", "5e0", "five"]
DECIMALS = [
    "0", "5", "0.50", ".5", "5.", "+5", "-1", "-0", "5.555", "5.550", "999.99", "999.999", "1000", "1e2", "1e-3",
    "0e10", "nan", "inf", "1,5", "5mm", "5 mm", "5.25mm", "5.35 MM", "2cm", "200um", "50um", "-2mm", "1000mm",
    "99.999cm", "mm", "5m", "5 inch", "thick", "1.2.3", "1.2.3mm",
]  # fmt: skip
BOOLS = [
    "1",
    "0",
    "true",
    "FALSE",
    "t",
    "f",
    "Yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "1.0",
    "2",
    "-1",
    "maybe",
    "ja",
    "si",
    "x",
]
BLANKS = ["", "  ", "\t"]
NEAR_TERMS = ["nevus", "Benign:", ":Benign", "Benign:Nevus", "Scalpp", "Other", "Trunk:Trunk", "benign"]


def words_for(item):
    """Good and bad cells of one field."""
    if item.kind in {Kind.ENUM, Kind.HIERARCHY}:
        values = list(item.vocabulary.values)
        terms = list(item.vocabulary.terms) if item.kind is Kind.HIERARCHY else []
        odd = [*NEAR_TERMS, values[0].upper(), f" {values[-1]} ", values[0].swapcase(), values[0][:-1]]
        return values + terms + odd + BLANKS
    words = {Kind.INTEGER: INTEGERS, Kind.DECIMAL: DECIMALS, Kind.BOOL: BOOLS}
    return words.get(item.kind, ["7", " a b ", "P-1", "é"]) + BLANKS


def make_rows():
    """Every field alone with every word, then with a melanoma, then five thousand mixed rows; the seed fixes them."""
    dice = random.Random(SEED)
    words = {item.name: words_for(item) for item in DERMATOLOGY.fields}
    rows = [{name: word} for name, pool in words.items() for word in pool]
    rows += [{"diagnosis": "Melanoma, NOS", name: word} for name in words if "mel_" in name for word in words[name]]
    rows += [{"diagnosis": term, "mel_ulcer": "false"} for term in DIAGNOSIS.values]
    for tree in (DIAGNOSIS, ANATOM_SITE):
        for path in dice.sample(tree.values, 60):
            levels = path.split(":")
            rows.append({f"{tree.name}_{level}": term for level, term in enumerate(levels, start=1)})
            rows.append(rows[-1] | {tree.name: dice.choice(tree.values)})
    columns = [*words, "hairy", "anatom_site_general", "my own column"]
    for _ in range(MIXED):
        chosen = dice.sample(columns, dice.randint(1, 12))
        rows.append({name: _draw(dice, name, words) for name in chosen})
    return rows


def _draw(dice, name, words):
    if name not in words:
        return dice.choice(["", "yes", " spaced "])
    item = DERMATOLOGY.by_name[name]
    # Mostly good cells, or hardly a mixed row would get as far as the rules between fields.
    if item.vocabulary is not None and dice.random() < 0.9:
        favourites = {"diagnosis": "Melanoma Invasive", "image_type": "dermoscopic"}
        return (
            favourites.get(name) if name in favourites and dice.random() < 0.5 else dice.choice(item.vocabulary.values)
        )
    return dice.choice(words[name][:6] if dice.random() < 0.9 else words[name])


def make_batches():
    dice = random.Random(SEED)
    pools = {
        "patient_id": ["P1", "P2", "P3", ""],
        "lesion_id": ["L1", "L2", "L3", "L4", "L5", ""],
        "rcm_case_id": ["R1", "R2", "R3", "R4", ""],
        "image_type": ["RCM: macroscopic", "RCM: tile", "RCM: mosaic"],
    }
    return [
        [{name: dice.choice(pool) for name, pool in pools.items()} for _ in range(dice.randint(1, 5))]
        for _ in range(BATCHES)
    ]


# Where we answer otherwise, on purpose: (why, row, the library accepts, we accept).
DIFFERENCES = [
    ("a blank column does not hide its levels", {"diagnosis": " ", "diagnosis_1": "Benign"}, True, True),
    ("cells of levels are trimmed too", {"anatom_site_1": "Trunk ", "anatom_site_2": " Lateral trunk"}, False, True),
    ("identifiers end at 255 characters", {"patient_id": "x" * 256}, True, False),
    ("no control characters", {"patient_id": "a\x00b"}, True, False),
    ("an offset in days is no date", {"acquisition_day": "20170301"}, True, False),
    ("a reserved word", {"lesion_id": "[clear]"}, True, False),
    ("numbers end at 100 characters", {"age": "0" * 200}, True, False),
    ("exponents before a unit", {"mel_thick_mm": "1e0mm", "diagnosis": "Melanoma, NOS"}, False, True),
]  # fmt: skip

# Where both refuse a row and we name more fields than the library, by the code that we give, and why.
MORE = {
    "missing_field": "Rules between fields: the library tries them only where every field alone is good, and stops at "
    "the first that is broken. We try each whose fields could be read.",
    "incompatible_fields": "As for missing_field.",
}


@pytest.fixture(scope="module")
def asked():
    rows = make_rows() + [row for _, row, _, _ in DIFFERENCES]
    return {"rows": rows, "batches": make_batches()}


@pytest.fixture(scope="module")
def oracle(asked):
    """The library's answers, from one run of it."""
    python = environment_with("isic-metadata==6.1.0", python=(3, 12))
    script = Path(__file__).with_name("isic_metadata_oracle.py")
    done = subprocess.run(
        [python, "-I", script], input=json.dumps(asked), capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_trees_are_the_same(oracle):
    assert set(oracle["diagnosis"]) == DIAGNOSIS.members
    assert set(oracle["anatom_site"]) == ANATOM_SITE.members


def test_the_same_columns_are_searchable_in_the_same_way(oracle):
    kinds = {"keyword": "keyword", "boolean": "bool", "float": "number"}
    ours = {column.name: column.search for column in DERMATOLOGY.search_columns}
    # The library leaves age to the server, which shows it as age_approx.
    assert ours.pop("age_approx") == "number"
    assert ours == {name: kinds[kind] for name, kind in oracle["searchable"].items()}


def test_the_same_columns_are_acquisition_and_clinical(oracle):
    for name, group in oracle["groups"].items():
        assert DERMATOLOGY.columns[name].group == group


def test_every_row_meets_the_same_verdict(asked, oracle):
    accepted = refused = 0
    ours_of = {}
    for number, row in enumerate(make_rows()):
        theirs, ours = oracle["rows"][number], validate_row(row, pack=DERMATOLOGY)
        assert ours.ok is theirs["accepted"], (row, theirs, ours.problems)
        if theirs["accepted"]:
            accepted += 1
            assert comparable(ours.values) == comparable(theirs["values"]), row
            kept = {name: cell for name, cell in theirs["unstructured"].items() if cell.strip()}
            assert ours.unstructured == kept, row
        else:
            refused += 1
            # The library stops at the first rule that is broken; we report all.
            fields = {problem.field for problem in ours.problems}
            assert fields >= set(theirs["fields"]), row
            ours_of[len(fields) - len(theirs["fields"])] = row
    # The comparison means something only if both verdicts are frequent, and if we do report more.
    assert accepted + refused > MIXED
    assert accepted > 2_000
    assert refused > 2_000
    assert max(ours_of) > 1


def test_where_we_report_more_it_is_for_one_of_these_reasons(oracle):
    """Every row that both refuse: what we name besides is named for a reason that is written down here."""
    reasons = {}
    for number, row in enumerate(make_rows()):
        theirs = oracle["rows"][number]
        if theirs["accepted"]:
            continue
        more = [
            problem
            for problem in validate_row(row, pack=DERMATOLOGY).problems
            if problem.field not in set(theirs["fields"])
        ]
        for problem in more:
            reasons.setdefault(problem.code, row)
    assert set(reasons) <= set(MORE), {code: reasons[code] for code in set(reasons) - set(MORE)}
    assert set(MORE) == set(reasons), "A reason that never happens should not be listed."


def test_every_batch_meets_the_same_verdict(asked, oracle):
    accepted = refused = 0
    for batch, theirs in zip(asked["batches"], oracle["batches"], strict=True):
        rows = [(f"row {number}", validate_row(row, pack=DERMATOLOGY).values) for number, row in enumerate(batch)]
        codes = {problem.code for problem in validate_batch(rows, pack=DERMATOLOGY)}
        assert (not codes) is theirs["accepted"], batch
        assert codes >= set(theirs["codes"]), batch
        accepted += not codes
        refused += bool(codes)
    assert accepted + refused == BATCHES
    assert min(accepted, refused) > 500


def test_of_a_batch_we_report_all_rules_that_are_broken_and_the_library_the_first(asked, oracle):
    more = 0
    for batch, theirs in zip(asked["batches"], oracle["batches"], strict=True):
        rows = [(f"row {number}", validate_row(row, pack=DERMATOLOGY).values) for number, row in enumerate(batch)]
        codes = [problem.code for problem in validate_batch(rows, pack=DERMATOLOGY)]
        assert len(theirs["codes"]) <= 1
        more += len(codes) > len(theirs["codes"])
    assert more > 100


@pytest.mark.parametrize("place", range(len(DIFFERENCES)), ids=[why for why, *_ in DIFFERENCES])
def test_the_differences_that_we_chose_are_still_there(oracle, place):
    _, row, theirs_accept, we_accept = DIFFERENCES[place]
    theirs = oracle["rows"][len(make_rows()) + place]
    ours = validate_row(row, pack=DERMATOLOGY)
    assert theirs["accepted"] is theirs_accept
    assert ours.ok is we_accept
    if theirs_accept and we_accept:
        assert comparable(ours.values) != comparable(theirs["values"])


def comparable(values):
    """Decimals by value, whatever their zeros; what we derive is ours alone."""
    decimals = {item.name for item in DERMATOLOGY.fields if item.kind is Kind.DECIMAL}
    return {
        name: Decimal(value) if name in decimals else value for name, value in values.items() if name != "age_approx"
    }
