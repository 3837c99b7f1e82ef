"""Damaged files of every format through the sandbox: an image, or a refusal with a reason, and nothing else.

A part of what `make nightly` does with 20,000 files: `python -m tests.damage.run`.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from medtheca.toolkit.sandbox import Level, detect_level
from tests.damage.damages import DAMAGES, damaged
from tests.damage.specimens import Specimen, specimens
from tests.damage.trial import Trials
from tests.plugins.thoroughness import examples

SEED = int(os.environ.get("MEDTHECA_DAMAGE_SEED", "4"))
FILES = examples(30)
"""Of each format."""
FORMATS = list(specimens())


@pytest.fixture(scope="module")
def trials():
    if detect_level() is not Level.FULL:
        pytest.skip("this kernel has no whole fence, in which alone strangers' files are decoded")
    with Trials() as made:
        yield made


@pytest.mark.parametrize("kind", FORMATS)
def test_sound_files_are_accepted(trials, kind):
    """Or else the damage would not be what they are refused for."""
    for one in specimens()[kind]:
        result = trials.check(one)
        assert (result.code, result.offence) == ("accepted", ""), f"{one.variant}: {result}"


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_end_as_an_image_or_a_refusal_with_a_reason(trials, kind):
    numbers = [len(FORMATS) * place + FORMATS.index(kind) for place in range(FILES)]

    def check(number):
        one, words = damaged(SEED, number)
        return number, words, trials.check(one)

    with ThreadPoolExecutor(2) as workers:
        results = list(workers.map(check, numbers))
    offenders = [
        f"{words}: {result.offence} ({result.words}); again by: python -m tests.damage.run "
        f"--seed {SEED} --first {number} --files 1 --keep FOLDER"
        for number, words, result in results
        if result.offence
    ]
    assert not offenders, "\n".join(offenders)
    assert any(result.code != "accepted" for _, _, result in results)


def test_a_seed_gives_the_same_files_again():
    first = [damaged(SEED, number) for number in range(60)]
    specimens.cache_clear()
    again = [damaged(SEED, number) for number in range(60)]
    assert [(one.files, words) for one, words in first] == [(one.files, words) for one, words in again]
    assert {damage.__name__ for damage in DAMAGES} == {
        each for number in range(200) for each in damaged(SEED, number)[1].rpartition(": ")[2].split(" and ")
    }


@pytest.mark.parametrize(
    ("word", "offence"),
    [
        ("die", "the decoder died"),
        ("hang", "the decoder did not end"),
        ("swell", "the decoder took too much memory, which the header could have told"),
        ("throw", "the decoder threw what is no refusal"),
        ("lie", "its report is not sound"),
        ("tell", "it tells who the patient is"),
    ],
)
def test_harm_is_noticed(planted, word, offence):
    assert planted.check(Specimen("mha", word, {"a.mha": word.encode()})).offence.startswith(offence)


def test_a_refusal_is_no_harm(planted):
    result = planted.check(Specimen("mha", "well", {"a.mha": b"well"}))
    assert (result.code, result.offence) == ("corrupt", "")


@pytest.fixture(scope="module")
def planted(trials):
    with Trials(case_task="tests.damage.planted:run_case", wall_seconds=2) as made:
        yield made
